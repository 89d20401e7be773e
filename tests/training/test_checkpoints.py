import errno
import json
import os
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest

from mscam_tf import MscamError, RunError
from mscam_tf.training import compile_classifier, write_weights
from mscam_tf.training.checkpoints import (
    Keeper,
    drop_state,
    read_weights,
    restore_history,
    restore_state,
    save_state,
)
from mscam_tf.training.progress import Progress, read_progress
from tests.conftest import forbid


def build(seed=0):
    layers = [keras.Input((3,)), keras.layers.Dropout(0.5, seed=1), keras.layers.Dense(2)]
    model = keras.Sequential(layers)
    generator = np.random.default_rng(seed)
    model.set_weights([generator.normal(0, 1, w.shape) for w in model.get_weights()])
    compile_classifier(model, 0.1)
    return model


def read_all(model):
    variables = [*model.variables, *model.optimizer.variables]
    return [keras.ops.convert_to_numpy(variable) for variable in variables]


def fail(*arguments, **options):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_state_brings_everything_back(tmp_path):
    """Also the seeds of dropout, which Keras' own files leave out."""
    model, other = build(0), build(1)
    images, labels = np.ones((4, 3), np.float32), np.array([0, 1, 1, 1])
    model.fit(images, labels, epochs=2, verbose=0)
    expected = read_all(model)
    save_state(model, tmp_path, Progress(3, best=0.25))
    assert read_progress(tmp_path) == Progress(3, best=0.25)
    restore_state(other, tmp_path, Progress(3), anew=True)
    for found, wanted in zip(other.variables, expected, strict=False):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(found), wanted)
    assert int(other.optimizer.iterations) == 0
    restore_state(other, tmp_path, Progress(3), anew=False)
    assert int(other.optimizer.iterations) == 2
    # The averages were in the place of the weights: these change places.
    (average,) = (v for v in other.optimizer.variables if v.path.endswith("kernel_average"))
    saved = keras.ops.convert_to_numpy(model.layers[-1].kernel)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(average), saved, rtol=1e-5, atol=1e-6)


def test_only_the_last_state_is_kept(tmp_path):
    model = build()
    for epoch in (1, 2):
        save_state(model, tmp_path, Progress(epoch))
        names = {path.name for path in (tmp_path / "checkpoints").iterdir()}
        assert names == {f"epoch{epoch}.npz", "progress.json"}
    drop_state(tmp_path)
    assert not list((tmp_path / "checkpoints").iterdir())
    assert read_progress(tmp_path) == Progress()


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 cut off", None])
def test_a_damaged_state_is_named(tmp_path, damage):
    save_state(build(), tmp_path, Progress(1))
    path = tmp_path / "checkpoints" / "epoch1.npz"
    path.unlink() if damage is None else path.write_bytes(damage)
    with pytest.raises(RunError, match=r"epoch1\.npz cannot be read; begin anew with --overwrite"):
        restore_state(build(), tmp_path, Progress(1), anew=False)


def test_the_state_of_another_model_is_refused(tmp_path):
    save_state(build(), tmp_path, Progress(1))
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    compile_classifier(other, 0.1)
    with pytest.raises(RunError, match="cannot be read"):
        restore_state(other, tmp_path, Progress(1), anew=True)


def keep(folder, losses, patience=None, progress=Progress()):  # noqa: B008
    keeper = Keeper(folder, progress, patience)
    keeper.set_model(build())
    for epoch, loss in enumerate(losses, start=progress.epoch):
        keeper.on_epoch_end(epoch, {"loss": 1.0, "val_loss": loss})
    return keeper


def test_the_best_weights_are_kept_and_patience_ends_the_training(tmp_path):
    keeper = keep(tmp_path, [0.5])
    best = tmp_path / "checkpoints" / "best.weights.h5"
    before = best.stat().st_mtime_ns
    assert not keeper.model.stop_training
    keeper = keep(tmp_path, [0.6], 2, keeper.progress)
    assert best.stat().st_mtime_ns == before
    assert not keeper.progress.stopped
    assert not keeper.model.stop_training
    keeper = keep(tmp_path, [0.6], 2, keeper.progress)
    assert keeper.model.stop_training


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", ["loss", "val_loss"])
def test_a_loss_that_is_no_number_in_any_epoch_is_an_error(tmp_path, name, value):
    keeper = keep(tmp_path, [0.5, 0.4])
    with pytest.raises(RunError, match=r"diverged in epoch 3: .*best weights are kept in .*anew"):
        keeper.on_epoch_end(2, {"loss": 1.0, "val_loss": 0.3, name: value})
    assert read_progress(tmp_path).epoch == 2
    assert str(value) in (tmp_path / "history.csv").read_text().splitlines()[-1]
    with pytest.raises(RunError, match=r"diverged in epoch 1: its loss is no number\. Begin"):
        keep(tmp_path / "new", [value])


@pytest.mark.parametrize("text", [None, "", "epoch,loss\n0,1.0\n", "mine", b"\xff\n"])
def test_the_history_is_what_it_was_whatever_became_of_it(tmp_path, text):
    keeper = keep(tmp_path, [0.5, 0.4])
    history = tmp_path / "history.csv"
    rows = history.read_bytes()
    assert rows.decode().splitlines() == ["epoch,loss,val_loss", "0,1.0,0.5", "1,1.0,0.4"]
    history.write_bytes(text if isinstance(text, bytes) else (text or "").encode())
    if text is None:
        history.unlink()
    restore_history(tmp_path, keeper.progress)
    assert history.read_bytes() == rows


@pytest.mark.parametrize("damage", [lambda p: p.unlink(), lambda p: p.write_bytes(b"no HDF5")])
def test_best_weights_that_cannot_be_read_are_named(tmp_path, damage):
    path = tmp_path / "best.weights.h5"
    write_weights(build(), path)
    read_weights(build(), path)
    damage(path)
    with pytest.raises(RunError, match=r"best\.weights\.h5 cannot be read; begin anew"):
        read_weights(build(), path)


def test_what_may_not_be_read_need_not_be_begun_anew(tmp_path, monkeypatch):
    write_weights(build(), tmp_path / "best.weights.h5")
    save_state(build(), tmp_path, Progress(1))
    forbid(monkeypatch, "best.weights.h5", "epoch1.npz")
    with pytest.raises(RunError, match=r"weights\.h5 cannot be read; change its permissions"):
        read_weights(build(), tmp_path / "best.weights.h5")
    with pytest.raises(RunError, match=r"epoch1\.npz cannot be read; change its permissions"):
        restore_state(build(), tmp_path, Progress(1), anew=False)


@pytest.mark.parametrize("broken", ["numpy.savez", "pathlib.Path.write_bytes"])
def test_a_full_disk_is_a_message_and_nothing_is_lost(tmp_path, monkeypatch, broken):
    keeper = keep(tmp_path, [0.5])
    before = {path: path.read_bytes() for path in (tmp_path / "checkpoints").iterdir()}
    monkeypatch.setattr(broken, fail)
    with pytest.raises(MscamError, match=r"checkpoints/.* cannot be written.*No space left"):
        keeper.on_epoch_end(1, {"loss": 1.0, "val_loss": 0.4})
    monkeypatch.undo()
    after = {path: path.read_bytes() for path in (tmp_path / "checkpoints").iterdir()}
    best = tmp_path / "checkpoints" / "best.weights.h5"
    assert after.keys() == before.keys()
    assert {k: v for k, v in after.items() if k != best} == {
        k: v for k, v in before.items() if k != best
    }
    assert read_progress(tmp_path).epoch == 1


LIMITED = """
import resource, sys
from pathlib import Path
import keras
from mscam_tf import MscamError
from mscam_tf.training import write_weights

model = keras.Sequential([keras.Input((300,)), *[keras.layers.Dense(300) for _ in range(5)]])
path = Path(sys.argv[1])
write_weights(model, path)
before = path.read_bytes()
resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, 10**6))
try:
    write_weights(model, path)
except MscamError as error:
    print(error)
assert path.read_bytes() == before
assert [file.name for file in path.parent.iterdir()] == [path.name]
"""


@pytest.mark.skipif(os.name != "posix", reason="The system has no such limit.")
def test_a_file_that_cannot_grow_ends_in_no_crash(tmp_path):
    """HDF5 that met a full disk ends the process with a segmentation fault when it is closed."""
    code = [sys.executable, "-c", LIMITED, str(tmp_path / "a.weights.h5")]
    result = subprocess.run(code, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "a.weights.h5 cannot be written" in result.stdout
    assert "File too large" in result.stdout


KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from tests.training.test_checkpoints import build
from mscam_tf.training.checkpoints import save_state
from mscam_tf.training.progress import Progress

folder = Path(sys.argv[1])
save_state(build(), folder, Progress(1))
savez = np.savez

def kill(path, **arrays):
    savez(path, **arrays)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    os.kill(os.getpid(), signal.SIGKILL)

np.savez = kill
save_state(build(), folder, Progress(2))
"""


@pytest.mark.slow
def test_killed_while_it_writes_the_former_state_stays(tmp_path):
    result = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)])
    assert result.returncode == -signal.SIGKILL
    assert read_progress(tmp_path) == Progress(1)
    restore_state(build(), tmp_path, Progress(1), anew=False)


def test_weights_are_a_file_that_keras_reads(tmp_path):
    model, other = build(0), build(1)
    write_weights(model, tmp_path / "{epoch}.weights.h5")
    other.load_weights(tmp_path / "{epoch}.weights.h5")
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])
    assert json.dumps([path.name for path in tmp_path.iterdir()]) == '["{epoch}.weights.h5"]'
