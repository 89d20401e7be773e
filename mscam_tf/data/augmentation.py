"""The augmentation that suits radiographs, and its random states."""

from typing import Any

import keras
import tensorflow as tf


def build_augmentation(seed: int = 0) -> keras.Sequential:
    """Build the augmentation of training images: what a radiograph can differ in by chance.

    Flips in both directions; rotation by up to 15 degrees (reflected at the border); contrast by
    up to 10 percent about the image's own mean. No brightness: detectors of 12 bits fill a
    sixteenth of the range of their 16-bit files, where an offset would wipe the image out.
    """
    return keras.Sequential(
        [
            keras.layers.RandomFlip("horizontal_and_vertical", seed=seed),
            keras.layers.RandomRotation(15 / 360, fill_mode="reflect", seed=seed + 1),
            keras.layers.RandomContrast(0.1, value_range=(0.0, 1.0), seed=seed + 2),
        ],
        name="augmentation",
    )


def augment_batch(augment: keras.Sequential, images: Any) -> Any:
    """Augment images; numbers of objects are moved alike, and never mixed."""
    if not isinstance(images, dict):
        for layer in augment.layers:  # On JAX, TensorFlow's data are for single layers alone.
            images = layer(images, training=True)
        return images
    pair = {"images": images["image"], "segmentation_masks": images["numbers"]}
    for layer in augment.layers:  # A Sequential that has seen an array takes no pair.
        pair = layer(pair, training=True)
    return images | {"image": pair["images"], "numbers": pair["segmentation_masks"]}


def skip_calls(augment: keras.Sequential, calls: int) -> None:
    """Leave the random states as so many calls would."""
    image = tf.zeros((1, 8, 8, 1))

    @tf.function
    def skip() -> None:  # As a graph: elsewhere JAX would draw from states of its own.
        augment_batch(augment, image)  # Which makes the states.
        for _ in tf.range(calls - 1):
            augment_batch(augment, image)

    if calls:
        skip()
