"""What do the scales cost in training? A step of the multi-scale model against the single-scale."""

import argparse

from benchmarks.common.report import write_page
from benchmarks.common.timing import time_in_turns

_CLASSES, _ROUNDS = 4, 10


def make_step(build, side: int, batch: int):
    import keras
    import numpy as np

    model = build(_CLASSES, (side, side))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.AdamW(3e-4), loss, jit_compile=False)
    generator = np.random.default_rng(0)
    images = generator.random((batch, side, side, 1), "float32")
    labels = generator.integers(0, _CLASSES, batch)
    return lambda: model.train_on_batch(images, labels)


def measure(side: int, batch: int) -> dict[str, float]:
    import mscam_tf

    steps = {
        "single": make_step(mscam_tf.build_single_scale_classifier, side, batch),
        "multi": make_step(mscam_tf.build_multiscale_classifier, side, batch),
    }
    return time_in_turns(steps, _ROUNDS, warm_up=2)


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    rows = []
    for side, batch in ((128, 16), (256, 8)):
        times = measure(side, batch)
        rates = [f"{batch / times[name]:.1f}" for name in ("single", "multi")]
        rows.append([f"{side} x {side}", batch, *rates, f"{times['multi'] / times['single']:.3f}"])
    write_page(
        "training_step",
        "The cost of the scales in training",
        "A training step (forward, backward, AdamW) of the multi-scale DenseNet-121 against the "
        f"single-scale one, {_CLASSES} classes, TensorFlow, float32, without XLA. Both take turns "
        f"in one process, {_ROUNDS} rounds, medians. The bar: at most 1.05 times the time.",
        ["image", "batch", "single, images a second", "multi, images a second", "ratio of times"],
        rows,
    )


if __name__ == "__main__":
    main()
