import csv
import importlib.util
import os
import socket
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

import mscam_tf
from mscam_tf import MscamError
from mscam_tf.data.manifests import Manifest, Sample, write_manifest
from mscam_tf.training import Team, open_team
from tests.conftest import write_images

OPTIONS = ["--backbone", "TinyNet", "--image-size", "32x32", "--batch-size", "6"]
OPTIONS += ["--epochs", "4", "--dropout", "0.2", "--deep-supervision", "0.5"]
OPTIONS += ["--learning-rate", "1e-2"]
needs_jax = pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="jax is not installed"
)


def test_one_device_needs_nothing():
    team = open_team("one")
    assert team == Team(devices=1, processes=1, process=0)
    assert team.leads
    with team.scope(), team.agree(), team.take_turns():
        assert keras.distribution.distribution() is None
    team.check_same(settings=3)


def test_batches_that_cannot_be_shared_are_refused():
    team = Team(devices=4, processes=2)
    team.check(batch_size=8, images=4)
    with pytest.raises(MscamError, match=r"a multiple of the 4 devices.*batch_size=10"):
        team.check(batch_size=10, images=100)
    with pytest.raises(MscamError, match=r"Each of 4 devices needs an image.*3 images"):
        team.check(batch_size=8, images=3)


def test_each_process_has_its_rows_of_each_batch():
    images, labels = np.arange(20.0).reshape(10, 2), np.arange(10)
    whole = tf.data.Dataset.from_tensor_slices(({"image": images}, labels)).batch(6)
    found = [
        [(x["image"][:, 0].tolist(), y.tolist()) for x, y in part.as_numpy_iterator()]
        for part in (Team(2, 2, process).share(whole) for process in (0, 1))
    ]
    assert found[0] == [([0, 2, 4], [0, 1, 2]), ([12, 14], [6, 7])]
    assert found[1] == [([6, 8, 10], [3, 4, 5]), ([16, 18], [8, 9])]
    assert Team(2, 1).share(whole) is whole


def write_data(folder):
    """Write 16 images to train on, whose last batch is smaller, and 5 to validate."""
    write_images(folder, {"none": 14, "wide": 12}, (32, 32))
    counts = {"none": (8, 3, 3), "wide": (8, 2, 2)}
    samples = []
    for label, each in counts.items():
        splits = np.repeat(["train", "validation", "test"], each).tolist()
        for number, split in enumerate(splits):
            path = f"{label}/{label}{number}.png"
            samples.append(Sample(path, label, path, split))
    write_manifest(Manifest(folder, tuple(samples)), folder / "manifest.csv")
    return folder / "manifest.csv"


def begin(arguments, **variables):
    """Start `mscam` on the JAX backend, compiled quickly."""
    flags = f"--xla_backend_optimization_level=0 {variables.pop('flags', '')}"
    environment = {**os.environ, "KERAS_BACKEND": "jax", "XLA_FLAGS": flags, **variables}
    command = [sys.executable, "-m", "tests.training.sharing", *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.Popen(command, env=environment, text=True, **pipes)


def begin_two(arguments):
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    names = {"JOB_ADDRESSES": address, "NUM_PROCESSES": "2"}
    common = {f"KERAS_DISTRIBUTION_{name}": value for name, value in names.items()}
    arguments = [*arguments, "--devices", "cluster"]
    return [begin(arguments, KERAS_DISTRIBUTION_PROCESS_ID=str(i), **common) for i in range(2)]


def end(*processes, status=0):
    texts = [process.communicate(timeout=600)[0] for process in processes]
    assert [process.returncode for process in processes] == [status] * len(processes), texts
    return texts


def read_history(run, *without):
    with (run / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    return [[float(row[name]) for name in row if name not in without] for row in rows]


def assert_same_training(run, other, *without):
    found, expected = (read_history(one, *without) for one in (run, other))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    images = np.random.default_rng(0).random((8, 32, 32, 1))  # Biases before norms are anything.
    models = [mscam_tf.open_run(one).load_model() for one in (run, other)]
    logits, known = (model.predict(images, verbose=0) for model in models)
    assert np.ptp(known) > 0.02
    np.testing.assert_allclose(logits, known, atol=5e-4)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def alone(data, tmp_path_factory):
    """One device trains, with the whole of each batch."""
    run = tmp_path_factory.mktemp("runs") / "alone"
    end(begin(["train", data, "--out", run, *OPTIONS]))
    return run


@needs_jax
@pytest.mark.slow
def test_devices_of_one_machine_come_to_the_same(data, alone, tmp_path):
    flags = "--xla_force_host_platform_device_count=2"
    command = ["train", data, "--out", tmp_path / "run", *OPTIONS, "--devices", "all"]
    end(begin(command, flags=flags))
    # An image that fills the batch of the validation counts as right or wrong, but has no loss.
    assert_same_training(tmp_path / "run", alone, "val_accuracy")
    text = end(begin([*command, "--batch-size", "5", "--overwrite"], flags=flags), status=1)[0]
    assert "`batch_size` must be a multiple of the 2 devices" in text


@needs_jax
@pytest.mark.slow
def test_two_processes_come_to_the_same(data, alone, tmp_path):
    run = tmp_path / "run"
    command = ["train", data, "--out", run, *OPTIONS]
    told, untold = end(*begin_two(command))
    assert "Trained" in told
    assert "Trained" not in untold
    assert_same_training(run, alone, "val_accuracy")
    assert (run / "history.png").exists()
    refused = end(*begin_two(command), status=1)
    assert "holds a run" in refused[0]
    assert "Another process of the training stopped; it says why" in refused[1]


def kill_after_an_epoch(processes, folder):
    """Kill processes as soon as one epoch is kept, as where the power fails."""
    while not list(folder.rglob("epoch*.npz")):
        assert all(process.poll() is None for process in processes), end(*processes)
        time.sleep(0.01)
    for process in processes:
        process.kill()
    for process in processes:
        process.communicate()


@needs_jax
@pytest.mark.slow
def test_two_processes_that_were_killed_go_on(data, alone, tmp_path):
    run = tmp_path / "run"
    command = ["train", data, "--out", run, *OPTIONS]
    kill_after_an_epoch(begin_two(command), tmp_path)
    assert not (run / "model.keras").exists()
    told, untold = end(*begin_two([*command, "--resume"]))
    assert "Trained" in told
    assert "Trained" not in untold
    assert len(read_history(run)) == 4
    assert_same_training(run, alone, "val_accuracy")
    finished = end(*begin_two([*command, "--resume"]))
    assert "is finished: nothing is left to do" in finished[0]
    refused = end(*begin_two([*command, "--resume", "--batch-size", "8"]), status=1)
    assert all("was begun with other settings" in text for text in refused)


@needs_jax
@pytest.mark.slow
@pytest.mark.parametrize("devices", [1, 2])
def test_masks_and_boxes_are_refused(data, devices, tmp_path):
    """On JAX, where alone several devices can share a training."""
    marked = write_data(tmp_path / "data")
    boxes = "path,x_min,y_min,x_max,y_max\nwide/wide0.png,4,0,12,30\n"
    (marked.parent / "boxes.csv").write_text(boxes)
    flags = f"--xla_force_host_platform_device_count={devices}"
    shared = ["--devices", "all"] if devices > 1 else []
    command = ["train", marked, "--out", tmp_path / "run", *OPTIONS, *shared]
    text = end(begin(command, flags=flags), status=1)[0]
    assert "on the TensorFlow backend alone: give --map-weight 0" in " ".join(text.split())
    assert not (tmp_path / "run").exists()


@needs_jax
@pytest.mark.slow
def test_masks_are_refused_by_all_processes(tmp_path):
    marked = write_data(tmp_path / "data")
    boxes = "path,x_min,y_min,x_max,y_max\nwide/wide0.png,4,0,12,30\n"
    (marked.parent / "boxes.csv").write_text(boxes)
    command = ["train", marked, "--out", tmp_path / "run", *OPTIONS]
    for text in end(*begin_two(command), status=1):
        assert "on the TensorFlow backend alone: give --map-weight 0" in " ".join(text.split())
