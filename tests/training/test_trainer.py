import csv
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

import mscam_tf
from mscam_tf import (
    ImageError,
    ManifestError,
    ReadOptions,
    RunError,
    TrainConfig,
    open_run,
    read_manifest,
)
from mscam_tf.data.reading import resize_image
from mscam_tf.models import read_pretrained, write_pretrained
from tests.conftest import randomize, write_images


def read_history(run):
    with (run.folder / "history.csv").open() as file:
        return list(csv.DictReader(file))


def test_run_folder_holds_everything(finished_run):
    names = {path.name for path in finished_run.folder.iterdir()}
    assert names == {
        "config.json",
        "split.csv",
        "history.csv",
        "display.json",
        "operating_point.json",
        "model.keras",
        "checkpoints",
        "tensorboard",
    }
    history = read_history(finished_run)
    assert len(history) == 2
    assert "relevance_scale3_wide" in history[0]
    assert list((finished_run.folder / "tensorboard").rglob("events*"))


def test_open_run_gives_the_same_run(finished_run):
    run = open_run(finished_run.folder)
    assert run == finished_run
    assert run.image_size == (64, 64)
    assert run.load_model().output_shape == (None, 2)
    low, high = run.read_value_range()
    assert low < high


def test_split_is_written_and_stratified(finished_run):
    manifest = read_manifest(finished_run.split_file)
    counts = {name: len(manifest.select(name).samples) for name in ("train", "validation", "test")}
    assert sum(counts.values()) == 32
    assert counts["train"] > counts["test"] > counts["validation"]
    assert manifest.select("validation").class_names == ["none", "wide"]


def test_same_seed_same_training(finished_run, image_folder, tmp_path):
    again = mscam_tf.train(read_manifest(image_folder), tmp_path / "again", finished_run.config)
    for a, b in zip(read_history(finished_run), read_history(again), strict=True):
        assert {k: float(v) for k, v in a.items()} == pytest.approx(
            {k: float(v) for k, v in b.items()}, rel=1e-4, abs=1e-5
        )


@pytest.mark.parametrize("model", ["multiscale", "single"])
def test_heads_start_from_the_pretrained_ones(image_folder, tmp_path, model):
    """With a rate of nearly zero nothing but the fit of the heads can tell the classes apart."""
    source = mscam_tf.build_multiscale_classifier(2, (64, 64), backbone="TinyNet")
    path = tmp_path / "weights.npz"
    write_pretrained(randomize(source), path, ["bone", "wire"], {})
    config = TrainConfig(
        model=model,
        backbone="TinyNet",
        weights=str(path),
        image_size=(64, 64),
        epochs=1,
        learning_rate=1e-9,
    )
    run = mscam_tf.train(read_manifest(image_folder), tmp_path / "run", config)
    trained = run.load_model()
    kernel = trained.get_layer("backbone").get_layer("conv2").get_weights()[0]
    expected = read_pretrained(path).backbone["conv2/kernel"]
    np.testing.assert_allclose(kernel, expected, atol=1e-6)
    samples = mscam_tf.select_samples(run, read_manifest(image_folder), "train")
    scores = mscam_tf.evaluate(run, samples, tmp_path / "out", split="train")
    assert scores.metrics["auroc"]["value"] > 0.65


def test_pretrained_weights_freeze_first_and_single_model(finished_run, image_folder, tmp_path):
    trained = []

    class Watch(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            trained.append(self.model.get_layer("backbone").trainable)

    config = TrainConfig(
        model="single",
        backbone="TinyNet",
        weights=str(finished_run.folder / "model.keras"),
        image_size=(64, 64),
        epochs=2,
        frozen_epochs=1,
    )
    run = mscam_tf.train(read_manifest(image_folder), tmp_path / "run", config, callbacks=[Watch()])
    assert trained == [False, True]
    assert [int(row["epoch"]) for row in read_history(run)] == [0, 1]
    explanation = next(mscam_tf.explain(run, [image_folder / "wide" / "wide0.png"]))
    assert explanation.relevance.tolist() == [[1.0, 1.0]]
    np.testing.assert_allclose(explanation.scale_maps[0], explanation.maps, atol=1e-6)


@pytest.mark.slow
def test_learns_an_easy_task(tmp_path):
    folder = write_images(tmp_path / "data", {"none": 40, "wide": 40}, seed=1)
    config = TrainConfig(
        backbone="TinyNet", image_size=(64, 64), epochs=25, learning_rate=1e-2, seed=1
    )
    run = mscam_tf.train(read_manifest(folder), tmp_path / "run", config)
    assert float(read_history(run)[-1]["accuracy"]) > 0.8


def test_unreadable_images_stop_before_anything_is_written(image_folder, tmp_path):
    folder = write_images(tmp_path / "data", {"none": 6, "wide": 6})
    for name in ("none/none1.png", "wide/wide2.png"):
        (folder / name).write_bytes(b"broken")
    message = r"2 image files(.|\n)*none1\.png(.|\n)*wide2\.png(.|\n)*--skip-bad"
    with pytest.raises(ImageError, match=message):
        mscam_tf.train(read_manifest(folder), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_bad_images_are_listed_and_the_window_is_fitted_to_the_others(tmp_path):
    folder = write_images(tmp_path / "data", {"none": 12, "wide": 12})
    for name in ("none/none1.png", "wide/wide2.png"):
        (folder / name).write_bytes(b"broken")
    config = TrainConfig(
        backbone="TinyNet", image_size=(32, 32), epochs=1, window_percentiles=(1, 99)
    )
    run = mscam_tf.train(read_manifest(folder), tmp_path / "run", config, skip_bad=True)
    with (run.folder / "skipped.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [Path(row["path"]).name for row in rows] == ["none1.png", "wide2.png"]
    assert all("by its first bytes" in row["reason"] for row in rows)
    split = read_manifest(run.split_file)
    assert len(split.samples) == 22
    paths = [folder / sample.path for sample in split.select("train").samples]
    values = [mscam_tf.read_image(path) * 255 for path in paths]
    low, high = open_run(run.folder).config.read.window
    np.testing.assert_allclose([low, high], np.percentile(values, (1, 99)), atol=1e-3)
    # Read the same way ever after.
    expected = mscam_tf.read_image(paths[0], ReadOptions(window=(low, high)))
    image = next(mscam_tf.explain(run, paths[:1])).image
    np.testing.assert_array_equal(image, resize_image(expected, (32, 32)))


def test_a_class_without_readable_images(tmp_path):
    folder = write_images(tmp_path / "data", {"none": 6, "wide": 6})
    for path in folder.glob("wide/*"):
        path.write_bytes(b"broken")
    with pytest.raises(ManifestError, match=r"can be read. Received: none of \['wide'\]"):
        mscam_tf.train(read_manifest(folder), tmp_path / "run", skip_bad=True)


def test_existing_run_is_refused_and_foreign_folders_are_left_alone(image_folder, tmp_path):
    manifest = read_manifest(image_folder)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("years of work")
    with pytest.raises(RunError, match=r"thesis\.txt, and is not known as a run"):
        mscam_tf.train(manifest, tmp_path / "run")
    with pytest.raises(RunError, match="is left alone"):
        mscam_tf.train(manifest, tmp_path / "run", overwrite=True)
    assert (tmp_path / "run" / "thesis.txt").read_text() == "years of work"


def test_a_failed_overwrite_keeps_the_old_run(image_folder, tmp_path):
    manifest = read_manifest(image_folder)
    quick = TrainConfig(backbone="TinyNet", image_size=(32, 32), epochs=1, batch_size=8)
    run = mscam_tf.train(manifest, tmp_path / "run", quick)
    before = (run.folder / "model.keras").read_bytes()
    wrong = TrainConfig(backbone="TinyNett", image_size=(32, 32))
    with pytest.raises(ValueError, match="TinyNett"):
        mscam_tf.train(manifest, run.folder, wrong, overwrite=True)
    diverging = replace(quick, learning_rate=1e30)
    with pytest.raises(RunError, match="diverged"):
        mscam_tf.train(manifest, run.folder, diverging, overwrite=True)
    assert (run.folder / "model.keras").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    mine = [
        run.folder / name
        for name in (
            "notes.txt",
            "checkpoints/best.keras",
            "tensorboard/a.md",
            "localization/b.svg",
        )
    ]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    # A run may start from its own weights.
    own = replace(quick, weights=str(run.folder / "model.keras"))
    again = mscam_tf.train(manifest, run.folder, own, overwrite=True)
    assert again.folder == run.folder
    assert (run.folder / "model.keras").read_bytes() != before
    assert [path.read_text() for path in mine] == ["mine"] * 4
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("name", ["run{x}", "run{epoch}", "[b]{"])
def test_braces_in_the_name_of_a_run(image_folder, tmp_path, name):
    quick = TrainConfig(backbone="TinyNet", image_size=(32, 32), epochs=1, batch_size=8)
    run = mscam_tf.train(read_manifest(image_folder), tmp_path / name, quick)
    assert (tmp_path / name / "checkpoints" / "best.weights.h5").exists()
    assert run.load_model()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_too_few_images_of_a_class(tmp_path):
    folder = write_images(tmp_path / "data", {"none": 9, "wide": 2})
    with pytest.raises(ManifestError, match="at least 3"):
        mscam_tf.train(read_manifest(folder), tmp_path / "run")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("precision", "xla"),
    [("mixed_bfloat16", False), ("mixed_float16", False), ("float32", True)],
)
def test_mixed_precision_and_xla_train(image_folder, tmp_path, precision, xla):
    config = TrainConfig(
        backbone="MobileNetV2", image_size=(64, 64), epochs=1, precision=precision, xla=xla
    )
    run = mscam_tf.train(read_manifest(image_folder), tmp_path / "run", config)
    assert np.isfinite(float(read_history(run)[0]["loss"]))
    assert keras.config.dtype_policy().name == "float32"


def test_taps_and_the_kind_of_relevance_are_settings(image_folder, tmp_path):
    config = TrainConfig(
        backbone="TinyNet",
        image_size=(64, 64),
        epochs=1,
        taps=("relu2", "relu3"),
        normalization="softmax",
        unit_norm_heads=True,
    )
    run = mscam_tf.train(read_manifest(image_folder), tmp_path / "run", config)
    assert open_run(run.folder).config == run.config
    model = run.load_model()
    relevance = model.get_layer("relevance").get_relevance()
    assert relevance.shape == (2, 2)
    np.testing.assert_allclose(relevance.sum(0), 1, rtol=1e-5)
    kernel = keras.ops.convert_to_numpy(model.get_layer("scale1_logits").kernel)
    np.testing.assert_allclose(np.linalg.norm(kernel, axis=0), 1, rtol=1e-3)


def test_a_run_with_deep_supervision_keeps_the_plain_model(image_folder, tmp_path):
    settings = {"backbone": "TinyNet", "image_size": (64, 64), "epochs": 1}
    runs = [
        mscam_tf.train(
            read_manifest(image_folder),
            tmp_path / f"run{weight}",
            TrainConfig(deep_supervision=weight, **settings),
        )
        for weight in (0.0, 1.0)
    ]
    plain, deep = (float(read_history(run)[0]["loss"]) for run in runs)
    assert deep > 2 * plain  # The losses of three heads are in it.
    assert runs[1].load_model().output_shape == runs[0].load_model().output_shape
    assert [*read_history(runs[0])[0]] == [*read_history(runs[1])[0]]


def test_the_only_scale_of_a_model_can_be_supervised(image_folder, tmp_path):
    config = TrainConfig(
        backbone="TinyNet", image_size=(64, 64), epochs=1, taps=("relu3",), deep_supervision=0.5
    )
    run = mscam_tf.train(read_manifest(image_folder), tmp_path / "run", config)
    assert run.load_model().get_layer("relevance").get_relevance().shape == (1, 2)
