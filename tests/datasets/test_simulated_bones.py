import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from mscam_tf.datasets import MscamSimulatedBones, SimulatedBonesConfig
from mscam_tf.simulation import Plan, SimulationConfig

SMALL = SimulationConfig(image_size=(48, 64))
SCALE = SimulatedBonesConfig("tiny_scale", plan=Plan(40, SMALL))
BINARY = SimulatedBonesConfig("tiny_binary", plan=Plan(60, SMALL, "binary"))
FRAMES = SimulatedBonesConfig("tiny_frames", plan=Plan(2, SMALL, frame_groups=2))


class TestPatches(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = MscamSimulatedBones
    EXAMPLE_DIR = "."
    SPLITS = {"train": 28, "validation": 4, "test": 8}  # noqa: RUF012
    BUILDER_CONFIG_NAMES_TO_TEST = [SCALE]  # noqa: RUF012


class TestBinaryPatches(TestPatches):
    SPLITS = {"train": 42, "validation": 6, "test": 12}  # noqa: RUF012
    BUILDER_CONFIG_NAMES_TO_TEST = [BINARY]  # noqa: RUF012


class TestFrames(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = MscamSimulatedBones
    EXAMPLE_DIR = "."
    SPLITS = {"test": 2}  # noqa: RUF012
    BUILDER_CONFIG_NAMES_TO_TEST = [FRAMES]  # noqa: RUF012


@pytest.fixture(scope="module")
def builder(tmp_path_factory):
    builder = MscamSimulatedBones(config=SCALE, data_dir=tmp_path_factory.mktemp("tfds"))
    builder.download_and_prepare()
    return builder


def test_the_truth_survives(builder):
    for example in tfds.as_numpy(builder.as_dataset(split="validation+test")):
        index = int(example["name"])
        truth = SCALE.plan.simulate(index, SCALE.plan.assign_classes()[index])
        assert example["image"].dtype == np.uint16
        np.testing.assert_array_equal(example["image"][..., 0], truth.image)
        np.testing.assert_array_equal(example["mask"][..., 0], truth.mask)
        boxes = example["bboxes"]["bbox"][:, [1, 0, 3, 2]] * [64, 48, 64, 48]
        np.testing.assert_allclose(boxes, truth.boxes, atol=1e-4)
        contrasts = [bone.contrast for bone in truth.bones]
        np.testing.assert_allclose(example["bboxes"]["contrast"], contrasts, rtol=1e-6)


def test_classes_are_in_all_splits(builder):
    for split in ("train", "validation", "test"):
        labels = [int(label) for _, label in builder.as_dataset(split=split, as_supervised=True)]
        assert set(labels) == {0, 1, 2, 3}


def test_as_supervised_is_what_fit_takes(builder):
    def to_float(image, label):
        return tf.image.convert_image_dtype(image, tf.float32), label

    train = builder.as_dataset(split="train", as_supervised=True).map(to_float).batch(8)
    assert 0 < float(tf.reduce_max(next(iter(train))[0])) <= 1
    model = keras.Sequential([keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(4)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = model.fit(train, shuffle=False, verbose=0).history
    assert np.isfinite(history["loss"][0])


def test_configurations():
    configs = {config.name: config.plan for config in MscamSimulatedBones.BUILDER_CONFIGS}
    assert list(configs) == ["scale", "binary", "frames"]
    assert configs["scale"].num_images == configs["binary"].num_images == 371
    assert configs["frames"].config.image_size == (1024, 2048)
