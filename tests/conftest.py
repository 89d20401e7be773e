import errno
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if "PYTEST_XDIST_WORKER" in os.environ:  # Workers share the cores.
    for _name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(_name, "1")

from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import mscam_tf
from mscam_tf.files import write_json
from mscam_tf.runs import create_run
from mscam_tf.simulation import SimulationConfig, write_findings


def randomize(model, seed=0):
    """Give every weight a random value: fresh heads and batch norms would hide mistakes."""
    generator = np.random.default_rng(seed)
    for variable in model.weights:
        if "seed_generator" in variable.path or "relevance" in variable.path:
            continue
        value = generator.normal(0, 0.5, variable.shape)
        if "variance" in variable.path or "gamma" in variable.path:
            value = 0.5 + np.abs(value)
        elif "kernel" in variable.path and len(variable.shape) > 2:
            value /= np.sqrt(np.prod(variable.shape[:-1]))
        variable.assign(value)
    return model


def make_backbone(channels=3, size=None, pooling=None):
    """Build a tiny backbone with activations at strides 2, 4 and 8."""
    height, width = size or (None, None)
    x = image = keras.Input((height, width, channels))
    for number, filters in enumerate((4, 6, 8), start=1):
        x = keras.layers.Conv2D(filters, 3, 2, padding="same", name=f"conv{number}")(x)
        x = keras.layers.BatchNormalization(name=f"bn{number}")(x)
        x = keras.layers.ReLU(name=f"relu{number}")(x)
    if pooling == "avg":
        x = keras.layers.GlobalAveragePooling2D(name="avg_pool")(x)
    return keras.Model(image, x, name="tiny")


# Stands in for the backbones of `keras.applications`, which take long to trace.
mscam_tf.register_backbone("TinyNet", lambda input_shape: make_backbone(), (2.0, -1.0))


@pytest.fixture(autouse=True)
def _seed():
    keras.utils.set_random_seed(0)
    yield
    keras.config.set_dtype_policy("float32")


def write_images(folder, counts, size=(40, 40), seed=0):
    """Write noise images: class `k` has a bright bar of its own width."""
    generator = np.random.default_rng(seed)
    for width, (label, count) in enumerate(counts.items()):
        (folder / label).mkdir(parents=True)
        for number in range(count):
            image = generator.integers(0, 90, size).astype(np.uint8)
            column = generator.integers(5, size[1] - 15)
            image[:, column : column + 4 * width] += 120
            Image.fromarray(image).save(folder / label / f"{label}{number}.png")
    return folder


def forbid(monkeypatch, *names):
    """Forbid to read files of these names; permissions do not stop the superuser."""
    opened = Path.open

    def refuse(path, mode="r", *arguments, **options):
        if path.name in names and "r" in mode:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return opened(path, mode, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)


@pytest.fixture(scope="session")
def image_folder(tmp_path_factory):
    return write_images(tmp_path_factory.mktemp("images"), {"none": 20, "wide": 12})


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory, image_folder):
    """Train for two epochs, once for all tests that need a run."""
    config = mscam_tf.TrainConfig(
        backbone="TinyNet", image_size=(64, 64), epochs=2, batch_size=8, seed=3
    )
    folder = tmp_path_factory.mktemp("runs") / "run"
    return mscam_tf.train(mscam_tf.read_manifest(image_folder), folder, config)


@pytest.fixture(scope="session")
def three_class_manifest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("three")
    return mscam_tf.read_manifest(write_images(folder, {"none": 8, "thin": 8, "wide": 8}))


@pytest.fixture(scope="session")
def three_class_run(tmp_path_factory, three_class_manifest):
    """A run of a model that was never trained: it errs, and that in several ways."""
    config = mscam_tf.TrainConfig(backbone="TinyNet", image_size=(64, 64), batch_size=8)
    names = three_class_manifest.class_names
    run = create_run(tmp_path_factory.mktemp("runs"), config, names, "")
    write_json(run.folder / "display.json", {"low": -1, "high": 1})
    model = mscam_tf.build_multiscale_classifier(3, (64, 64), backbone=make_backbone())
    randomize(model, seed=5).save(run.folder / "model.keras")
    return run


@pytest.fixture(scope="session")
def findings_folder(tmp_path_factory):
    config = SimulationConfig(image_size=(64, 64), difficulty=0.2)
    return write_findings(tmp_path_factory.mktemp("findings"), 40, config)


@pytest.fixture(scope="session")
def findings_run(tmp_path_factory, findings_folder):
    config = mscam_tf.TrainConfig(
        backbone="TinyNet",
        image_size=(64, 64),
        several=True,
        epochs=2,
        batch_size=8,
        map_weight=0,  # Labels alone.
    )
    folder = tmp_path_factory.mktemp("runs") / "run"
    return mscam_tf.train(mscam_tf.read_manifest(findings_folder), folder, config)
