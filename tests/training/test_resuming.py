import shutil
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

import mscam_tf
from mscam_tf import ImageError, ManifestError, ReadOptions, RunError, TrainConfig, read_manifest
from mscam_tf.data.manifests import Manifest, relocate
from mscam_tf.files import read_table
from mscam_tf.runs import create_run, read_operating_point, write_operating_point
from mscam_tf.training import find_begun
from mscam_tf.training.resuming import check_config_again, check_images_again, is_unfinished
from tests.conftest import write_images

CONFIG = TrainConfig(
    backbone="TinyNet", image_size=(32, 32), batch_size=8, epochs=3, dropout=0.2, learning_rate=1e-2
)


class Stop(keras.callbacks.Callback):
    """Stops a training as Ctrl-C does: at the end of an epoch, or within it."""

    def __init__(self, epoch, *, within=False):
        super().__init__()
        self.epoch, self.within, self.now = epoch, within, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.within and self.now == self.epoch and batch == 1:
            raise KeyboardInterrupt

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.epoch:
            raise KeyboardInterrupt


def stop(manifest, folder, config, callback, **options):
    with pytest.raises(KeyboardInterrupt):
        mscam_tf.train(manifest, folder, config, callbacks=[callback], **options)


def read_files(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.suffix in (".csv", ".json")}


@pytest.fixture(scope="module")
def manifest(image_folder):
    return read_manifest(image_folder)


@pytest.fixture(scope="module")
def stopped(manifest, tmp_path_factory):
    """A training that was stopped after its first epoch; tests only look at it."""
    folder = tmp_path_factory.mktemp("stopped") / "run"
    stop(manifest, folder, CONFIG, Stop(0))
    return folder


def check_same(first, second):
    assert read_files(first.folder) == read_files(second.folder)
    weights = zip(first.load_model().get_weights(), second.load_model().get_weights(), strict=True)
    assert all((a == b).all() for a, b in weights)


def test_a_training_that_goes_on_comes_to_the_same_end(manifest, tmp_path, caplog):
    whole = mscam_tf.train(manifest, tmp_path / "whole", CONFIG)
    stop(manifest, tmp_path / "parts", CONFIG, Stop(1, within=True))
    assert f"until the end of epoch 1 is kept in {tmp_path / 'parts'}; --resume" in caplog.text
    parts = mscam_tf.train(manifest, tmp_path / "parts", resume=True)
    check_same(whole, parts)
    assert [path.name for path in (parts.folder / "checkpoints").iterdir()] == ["best.weights.h5"]
    again = mscam_tf.train(manifest, tmp_path / "parts", CONFIG, resume=True)
    assert "is finished: nothing is left to do" in caplog.text
    assert again.config == parts.config


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "stops"),
    [
        ({"deep_supervision": 0.5, "patience": 1}, [Stop(1)]),
        ({"precision": "mixed_float16"}, [Stop(0)]),
        ({"frozen_epochs": 2, "epochs": 4}, [Stop(1, within=True), Stop(1), Stop(3, within=True)]),
    ],
)
def test_from_wherever_it_was_stopped(manifest, finished_run, tmp_path, settings, stops):
    model = finished_run.folder / "model.keras"
    weights = {"weights": str(model)} if "frozen_epochs" in settings else {}
    config = replace(CONFIG, **settings, **weights)
    whole = mscam_tf.train(manifest, tmp_path / "whole", config)
    for callback in stops:
        stop(manifest, tmp_path / "parts", config, callback, resume=True)
    check_same(whole, mscam_tf.train(manifest, tmp_path / "parts", resume=True))


def test_what_is_begun_over_a_run_lies_beside_it_and_goes_on(manifest, tmp_path, caplog):
    run = mscam_tf.train(manifest, tmp_path / "run", replace(CONFIG, epochs=1))
    (run.folder / "notes.txt").write_text("mine")
    before = read_files(run.folder)
    other = replace(CONFIG, epochs=2)
    stop(manifest, run.folder, other, Stop(0), overwrite=True)
    beside = tmp_path / ".run.unfinished"
    assert str(beside) in caplog.text
    assert is_unfinished(beside)
    assert read_files(run.folder) == before
    with pytest.raises(RunError, match=r"stopped before its end, in .*unfinished.*--resume"):
        mscam_tf.train(manifest, run.folder, other)
    again = mscam_tf.train(manifest, run.folder, resume=True)
    assert again.config.epochs == 2
    assert again.folder == run.folder
    assert (run.folder / "notes.txt").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_run_that_was_made_while_images_were_checked_stays(manifest, tmp_path):
    folder, config = tmp_path / "run", replace(CONFIG, epochs=1)
    first = []

    def make_another(_):
        if not first:
            first.append(None)
            mscam_tf.train(manifest, folder, replace(config, seed=7))

    with pytest.raises(RunError, match=r"holds a run.*--overwrite"):
        mscam_tf.train(manifest, folder, config, on_check=make_another)
    assert mscam_tf.open_run(folder).config.seed == 7


def test_nothing_is_begun_anew_over_what_was_stopped(manifest, stopped):
    before = read_files(stopped)
    with pytest.raises(RunError, match=r"stopped before its end.*--resume.*or --overwrite"):
        mscam_tf.train(manifest, stopped, CONFIG)
    assert read_files(stopped) == before


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"epochs": 4}, r"Expected: \{'epochs': 3\}\. Received: \{'epochs': 4\}"),
        ({"seed": 1, "dropout": 0.0}, r"'dropout': 0\.2, 'seed': 0.*'dropout': 0\.0, 'seed': 1"),
        ({"read": ReadOptions(invert=True)}, "'read'"),
        ({"image_size": (64, 32)}, "'image_size'"),
        ({"pooling": "soft"}, "'pooling'"),
        ({"window_percentiles": (1, 99)}, "'window_percentiles'"),
    ],
)
def test_other_settings_are_refused_by_name(manifest, stopped, settings, names):
    with pytest.raises(RunError, match=names):
        mscam_tf.train(manifest, stopped, replace(CONFIG, **settings), resume=True)
    assert find_begun(stopped).config.epochs == 3


def test_what_the_images_chose_may_be_left_open(stopped):
    begun = find_begun(stopped)
    check_config_again(begun, replace(CONFIG, image_size=None, pooling="auto", weights="auto"))
    window = replace(begun.config.read, window=(1.0, 2.0))
    fitted = replace(begun.config, read=window, window_percentiles=(1, 99))
    check_config_again(replace(begun, config=fitted), replace(CONFIG, window_percentiles=(1, 99)))


def test_other_images_or_labels_are_refused_by_name(manifest, stopped, tmp_path):
    begun = find_begun(stopped)
    samples = manifest.samples
    changed = replace(samples[3], label="wide" if samples[3].label == "none" else "none")
    train = next(s for s in read_manifest(begun.split_file).samples if s.split == "train")
    for other, name in (
        (samples[1:], samples[0].path),
        ((*samples[:3], changed, *samples[4:]), changed.path),
        (
            tuple(replace(s, split="test" if s.path == train.path else "") for s in samples),
            train.path,
        ),
    ):
        with pytest.raises(ManifestError, match=f"Received: 1 that differ: {name}"):
            check_images_again(begun, Manifest(manifest.root, other))
    moved = check_images_again(begun, replace(manifest, root=tmp_path))
    assert moved.root == tmp_path
    assert {sample.split for sample in moved.samples} == {"train", "validation", "test"}


def test_images_are_known_however_their_paths_are_written(
    manifest, stopped, tmp_path, monkeypatch, caplog
):
    begun = find_begun(stopped)
    known = read_manifest(begun.split_file)
    here, linked = manifest.root, tmp_path / "linked"
    linked.symlink_to(here)
    monkeypatch.chdir(here.parent)
    dotted = [replace(s, path=f"none/../{s.path}") for s in manifest.samples]
    absolute = [replace(s, path=str(here / s.path)) for s in manifest.samples]
    for given in (
        Manifest(Path(here.name), manifest.samples),
        Manifest(linked, manifest.samples),
        Manifest(here, tuple(dotted)),
        Manifest(tmp_path, tuple(absolute)),
        relocate(manifest, tmp_path),
    ):
        found = check_images_again(begun, given)
        pairs = zip(found.samples, found.paths, known.samples, strict=True)
        for sample, path, before in pairs:  # In the order that the training had.
            assert (sample.label, sample.split) == (before.label, before.split)
            assert path.samefile(here / before.path)
    assert not caplog.text
    copied = shutil.copytree(here, tmp_path / "copy")
    moved = Manifest(copied, manifest.samples)
    check_images_again(begun, moved)
    assert not caplog.text
    check_images_again(replace(begun, data=str(tmp_path / "gone")), moved)
    assert "are taken for them; if they are others, begin anew with --overwrite." in caplog.text
    moved.paths[0].write_bytes(moved.paths[1].read_bytes())
    with pytest.raises(ManifestError, match=r"begin anew .* Received: 1 that differ"):
        check_images_again(begun, moved)


def test_what_was_left_out_stays_so_however_its_path_is_written(tmp_path, monkeypatch):
    images = write_images(tmp_path / "images", {"none": 20, "wide": 12})
    (images / "none" / "bad.png").write_bytes(b"bad")
    monkeypatch.chdir(tmp_path)
    given = read_manifest("images")
    stop(given, tmp_path / "run", CONFIG, Stop(0), skip_bad=True)
    begun = find_begun(tmp_path / "run")
    (tmp_path / "moved").mkdir()
    monkeypatch.chdir(tmp_path / "moved")
    for root in ("../images", images, "../moved/../images"):
        assert len(check_images_again(begun, read_manifest(root)).samples) == 32
    images.rename(tmp_path / "moved" / "images")
    assert len(check_images_again(begun, read_manifest("images")).samples) == 32


@pytest.mark.parametrize("name", ["tensorboard", "history.csv", "split.csv", "model.keras"])
def test_a_file_in_the_place_of_a_folder_is_named_before_any_work(stopped, tmp_path, name):
    folder = tmp_path / "run"
    shutil.copytree(stopped, folder)
    path = folder / name
    if name == "tensorboard":
        shutil.rmtree(path)
        path.touch()
    else:
        path.unlink(missing_ok=True)
        path.mkdir()
    kind = "folder" if name == "tensorboard" else "file"
    with pytest.raises(RunError, match=f"{name} must be a {kind}; move it away"):
        find_begun(folder)


def test_where_nothing_was_begun_it_begins(manifest, tmp_path, caplog):
    assert find_begun(tmp_path / "run") is None
    run = mscam_tf.train(manifest, tmp_path / "run", replace(CONFIG, epochs=1), resume=True)
    assert "holds no training to go on with: one begins" in caplog.text
    assert not is_unfinished(run.folder)


def test_what_was_stopped_before_its_first_epoch_leaves_the_folder_free(manifest, tmp_path):
    stop(manifest, tmp_path / "run", CONFIG, Stop(0, within=True))
    assert not list((tmp_path / "run").iterdir())


def test_what_was_killed_before_its_first_epoch_is_the_start_of_a_run(manifest, tmp_path):
    folder, config = tmp_path / "run", replace(CONFIG, epochs=1)
    create_run(folder, CONFIG, ["none", "wide"], str(manifest.root))  # All that is there by then.
    message = r"holds the start of a run, which was stopped .*--resume or --overwrite.*both begin"
    with pytest.raises(RunError, match=message):
        mscam_tf.train(manifest, folder, config)
    run = mscam_tf.train(manifest, folder, config, resume=True)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    with pytest.raises(RunError, match="holds a run; it is left alone"):
        mscam_tf.train(manifest, run.folder, config)


def test_a_model_outlives_what_follows_it(manifest, tmp_path, monkeypatch, caplog):
    quick = replace(CONFIG, epochs=1)

    def fail(*arguments):
        raise MemoryError

    monkeypatch.setattr("mscam_tf.training.finishing.fit_range", fail)
    with pytest.raises(MemoryError):
        mscam_tf.train(manifest, tmp_path / "run", quick)
    monkeypatch.undo()
    assert "--resume" in caplog.text
    kept = (tmp_path / "run" / "model.keras").read_bytes()
    with pytest.raises(RunError, match=r"display\.json cannot be read.*--resume` fits the range"):
        mscam_tf.open_run(tmp_path / "run").read_value_range()
    run = mscam_tf.train(manifest, tmp_path / "run", resume=True)
    assert (run.folder / "model.keras").read_bytes() == kept
    low, high = run.read_value_range()
    assert low < high


@pytest.mark.parametrize("lost", ["model.keras", "display.json"])
def test_what_a_finished_run_has_lost_is_made_anew(
    finished_run, image_folder, tmp_path, lost, caplog
):
    folder = shutil.copytree(finished_run.folder, tmp_path / "run")
    point = replace(read_operating_point(finished_run), decision_threshold=0.7)
    write_operating_point(replace(finished_run, folder=folder), point)
    (folder / lost).unlink()
    given = read_manifest(image_folder)
    run = mscam_tf.train(given, folder, finished_run.config, resume=True)
    assert f"has lost {lost}, to be made anew" in caplog.text
    assert run.read_value_range() == pytest.approx(finished_run.read_value_range(), abs=1e-5)
    pairs = zip(
        run.load_model().get_weights(), finished_run.load_model().get_weights(), strict=True
    )
    assert all(np.allclose(a, b, atol=1e-6) for a, b in pairs)
    assert read_operating_point(run) == point  # What was calibrated stays.


def test_a_finished_run_without_model_and_weights_is_refused(finished_run, image_folder, tmp_path):
    folder = shutil.copytree(finished_run.folder, tmp_path / "run")
    for name in ("model.keras", "checkpoints/best.weights.h5"):
        (folder / name).unlink()
    with pytest.raises(RunError, match=r"has lost its model\.keras and its .*best\.weights\.h5"):
        mscam_tf.train(read_manifest(image_folder), folder, resume=True)
    assert (folder / "operating_point.json").is_file()


def test_a_training_goes_on_without_images_that_became_bad(tmp_path, caplog):
    data, run = write_images(tmp_path / "data", {"none": 12, "wide": 12}), tmp_path / "run"
    boxes = "".join(f"wide/wide{k}.png,4,4,9,9\n" for k in range(12))
    (data / "boxes.csv").write_text(f"path,x_min,y_min,x_max,y_max\n{boxes}")
    given = read_manifest(data)
    stop(given, run, CONFIG, Stop(0))
    train = [s.path for s in read_manifest(run / "split.csv").select("train").samples]
    first, second = [path for path in train if "wide/wide" in path][:2]
    names = [path.split("data/")[-1] for path in (first, second)]
    (data / names[0]).write_bytes(b"no")
    with pytest.raises(ImageError, match="leave them out"):
        mscam_tf.train(given, run, resume=True)
    stop(given, run, CONFIG, Stop(1), resume=True, skip_bad=True)
    assert "1 images can no longer be read; the training goes on without them" in caplog.text
    (data / names[1]).unlink()
    finished = mscam_tf.train(given, run, resume=True, skip_bad=True)
    assert [Path(row["path"]) for row in read_table(run / "skipped.csv")] == [
        data / name for name in names
    ]
    left = {sample.path for sample in read_manifest(run / "split.csv").samples}
    assert len(left) == 22
    assert not {first, second} & left
    assert len(read_table(run / "marks.csv")) == 10
    assert len(read_table(finished.folder / "history.csv")) == 3


def test_a_training_does_not_go_on_without_a_class(tmp_path):
    data, run = write_images(tmp_path / "data", {"none": 6, "wide": 4}), tmp_path / "run"
    given = read_manifest(data)
    stop(given, run, CONFIG, Stop(0))
    before = read_files(run)
    for path in (data / "wide").iterdir():
        path.write_bytes(b"no")
    with pytest.raises(ManifestError, match=r"Every class needs images.*none of \['wide'\]"):
        mscam_tf.train(given, run, resume=True, skip_bad=True)
    assert read_files(run) == before
