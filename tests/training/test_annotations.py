"""Masks and boxes as they are read, and trainings with them, from a manifest to a run."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import mscam_tf
from mscam_tf import ImageError, ManifestError, ReadOptions, TrainConfig, read_manifest
from mscam_tf.data.manifests import Box, Manifest, Sample, read_boxes, write_boxes
from mscam_tf.files import read_table, write_json, write_table
from mscam_tf.runs import OneLabel, SeveralFindings
from mscam_tf.training.annotations import read_marks
from mscam_tf.training.map_supervision import BOXED, MASKED, MAYBE
from tests.data.reading.test_orientation import PIXELS, save
from tests.training.marked import SIDE, write_marked
from tests.training.test_resuming import Stop, check_same, stop

NAMES = ["crack", "none", "pore"]
READ = ReadOptions()
CONFIG = TrainConfig(
    backbone="TinyNet", image_size=(SIDE, SIDE), batch_size=8, epochs=2, learning_rate=1e-2
)


def read(folder, samples, boxes, *, task=None, size=(8, 8), image_size=None):
    if boxes:
        write_boxes(boxes, folder / "boxes.csv")
    manifest = Manifest(folder, tuple(samples))
    sizes = dict.fromkeys(manifest.paths, size)
    return read_marks(manifest, task or OneLabel(NAMES), sizes, image_size or size, READ)


def write_mask(folder, name, values):
    Image.fromarray(np.asarray(values, np.uint8)).save(folder / name)
    return name


def test_boxes_are_resized_with_their_image(tmp_path):
    marks = read(
        tmp_path, [Sample("a.png", "pore", "")], {"a.png": [Box(2, 4, 6, 8)]}, image_size=(16, 4)
    )
    rows, columns = np.nonzero(marks.paint(0)[..., 0])
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (8, 15, 1, 2)


def test_objects_have_the_class_of_their_box_or_else_of_their_image(tmp_path):
    samples = [Sample(name, label, "") for name, label in (("a", "pore"), ("b", "none"))]
    boxes = [Box(0, 0, 2, 2, "crack"), Box(2, 2, 4, 4, "odd"), Box(4, 4, 8, 6)]
    cut = Box(-6, 6, 2, 8, "crack").clip(8, 8)
    slight = Box(6, 6, 12, 8, "odd")  # Of which a third is in the image.
    marks = read(tmp_path, samples, {"a": [*boxes, cut], "b": [slight]})
    here, own, maybe = [BOXED, 0, 0], [0, 0, BOXED], [MAYBE, 0, 0]
    np.testing.assert_array_equal(marks.kinds[0], [here, own, own, maybe, own])
    np.testing.assert_array_equal(marks.kinds[1, 0], [MAYBE, 0, MAYBE])
    np.testing.assert_array_equal(marks.shown, [[True, False, True], [False, False, False]])


def test_boxes_outside_of_their_image_are_refused(tmp_path):
    """They are of another image, or in other units: then more of them are in wrong places."""
    boxes = {"a": [Box(0, 0, 2, 2)], "b": [Box(0, 0, 2, 2), Box(8, 0, 12, 4)]}
    with pytest.raises(ManifestError, match="b: a box must reach into its image of 8 x 8 pixels"):
        read(tmp_path, [Sample(name, "pore", "") for name in boxes], boxes)


def test_what_the_edge_of_the_image_cuts_by_more_than_half_is_not_asked_for(tmp_path):
    boxes = {"a": [Box(-6, 0, 2, 2), Box(-2, 4, 6, 8), Box(7.7, 4, 12, 8)]}
    marks = read(tmp_path, [Sample("a", "pore", "")], boxes)
    maybe, asked = [0, 0, MAYBE], [0, 0, BOXED]
    np.testing.assert_array_equal(marks.kinds[0, :3], [maybe, asked, maybe])
    assert (marks.paint(0)[5, :, 0] == [2, 2, 2, 2, 2, 2, 0, 3]).all()


def test_of_several_findings_a_box_without_a_class_may_be_any(tmp_path):
    samples = [Sample("a", "crack|pore", ""), Sample("b", "pore", "")]
    boxes = {"a": [Box(0, 0, 2, 2)], "b": [Box(0, 0, 2, 2)]}
    marks = read(tmp_path, samples, boxes, task=SeveralFindings(["crack", "pore"]))
    np.testing.assert_array_equal(marks.kinds[:, 0], [[MAYBE, MAYBE], [0, BOXED]])
    np.testing.assert_array_equal(marks.counts > 0, [[False, False], [False, True]])


def test_of_boxes_with_a_mask_only_what_is_masked_counts(tmp_path):
    values = np.zeros((8, 8))
    values[1, 1:7] = 9
    name = write_mask(tmp_path, "mask.png", values)
    boxes = {"a": [Box(0, 0, 4, 4, "crack")]}
    marks = read(tmp_path, [Sample("a", "pore", "", mask=name)], boxes)
    np.testing.assert_array_equal(marks.kinds[0], [[MASKED, 0, 0], [0, 0, MASKED]])
    np.testing.assert_array_equal(marks.paint(0)[1, :, 0], [0, 1, 1, 1, 2, 2, 2, 0])
    assert marks.paint(0).sum() == 9


def test_boxes_count_where_the_mask_is_empty(tmp_path):
    name = write_mask(tmp_path, "mask.png", np.zeros((8, 8)))
    marks = read(tmp_path, [Sample("a", "pore", "", mask=name)], {"a": [Box(0, 0, 4, 4)]})
    assert marks.kinds[0, 0].tolist() == [0, 0, BOXED]
    (tmp_path / "boxes.csv").unlink()
    assert read(tmp_path, [Sample("a", "pore", "", mask=name)], {}) is None


def test_thin_masks_survive_where_images_are_shrunk(tmp_path):
    values = np.eye(32) > 0
    name = write_mask(tmp_path, "mask.png", values)
    samples = [Sample("a", "pore", "", mask=name)]
    marks = read(tmp_path, samples, {}, size=(32, 32), image_size=(16, 16))
    assert np.diag(marks.paint(0)[..., 0]).all()
    assert marks.paint(0).astype(bool).sum() < 3 * 16


@pytest.mark.parametrize("side", [64, 32, 16])
def test_no_line_or_dot_of_a_mask_is_lost_however_much_images_are_shrunk(tmp_path, side):
    values = np.zeros((128, 128))
    values[8:40, 8:40] = values[64, 24:104] = values[101, 101] = 1
    values[39, 40:72] = 1  # A tail of the square.
    name = write_mask(tmp_path, "mask.png", values)
    samples = [Sample("a", "pore", "", mask=name)]
    marks = read(tmp_path, samples, {}, size=(128, 128), image_size=(side, side))
    painted, cell = marks.paint(0)[..., 0] > 0, 128 // side
    assert painted[64 // cell, 24 // cell : 104 // cell].all()
    assert painted[101 // cell, 101 // cell]
    assert painted[39 // cell - 1 : 39 // cell + 1, 40 // cell + 1 : 72 // cell].any(0).all()
    # Nothing but what is marked is painted, give or take a pixel.
    assert painted.sum() <= (32 // cell + 2) ** 2 + 3 * (80 + 32) // cell + 9


def test_a_box_does_not_deny_what_a_larger_one_around_it_names(tmp_path):
    boxes = [
        Box(0, 0, 6, 6, "crack"),
        Box(1, 1, 3, 3, "pore"),  # Within it.
        Box(6, 6, 8, 8, "pore"),  # Beside it.
    ]
    marks = read(tmp_path, [Sample("a", "crack", "")], {"a": boxes})
    np.testing.assert_array_equal(
        marks.kinds[0, :3], [[BOXED, 0, 0], [MAYBE, 0, BOXED], [0, 0, BOXED]]
    )


def test_of_two_boxes_at_one_place_none_denies_the_other(tmp_path):
    boxes = [Box(0, 0, 4, 4, "crack"), Box(0, 0, 4, 4, "pore"), Box(5, 5, 8, 8, "crack")]
    marks = read(tmp_path, [Sample("a", "crack", "")], {"a": boxes})
    top = int(marks.paint(0)[0, 0, 0])
    assert (marks.kinds[0, top - 1, [0, 2]] >= MAYBE).all()
    assert marks.counts[0, 0] > 0


def test_a_box_beside_its_image_is_refused_and_one_that_hardly_reaches_in_is_not_asked_for(
    tmp_path,
):
    samples = [Sample("a", "crack", "")]
    with pytest.raises(ManifestError, match=r"a: a box must reach into its image of 8 x 8"):
        read(tmp_path, samples, {"a": [Box(0, 0, 2, 2), Box(80, 80, 90, 90)]})
    marks = read(tmp_path, samples, {"a": [Box(0, 0, 2, 2), Box(-5, 4, 1, 6), Box(-1, 6, 5, 8)]})
    assert marks.kinds[0, :3, 0].tolist() == [BOXED, MAYBE, BOXED]
    assert marks.paint(0)[4:6, 0].tolist() == [[2], [2]]


def test_masks_that_do_not_fit_are_all_named(tmp_path):
    name = write_mask(tmp_path, "wide.png", np.ones((8, 9)))
    (tmp_path / "broken.png").write_bytes(b"no")
    samples = [Sample("a", "pore", "", mask=name), Sample("b", "pore", "", mask="broken.png")]
    with pytest.raises(ImageError, match=r"(?s)wide\.png: .*\(8, 9\).*broken\.png.*map_weight"):
        read(tmp_path, samples, {})


def test_masks_that_are_not_turned_as_their_image_are_named(tmp_path):
    save(tmp_path / "a.jpg", 3)
    save(tmp_path / "m.png", 1)
    sample = Sample("a.jpg", "crack", "", mask="m.png")
    with pytest.raises(ImageError, match=r"m\.png: .*orientation of EXIF is 3 in .*a\.jpg"):
        read(tmp_path, [sample], {}, size=PIXELS.shape)


def test_nothing_marked_is_nothing(tmp_path):
    samples = [Sample("a", "pore", "a"), Sample("b", "none", "b")]
    assert read(tmp_path, samples, {}) is None
    assert read(tmp_path, samples, {"b": [Box(-6, 0, 2, 2)]}) is None


def test_labels_must_not_deny_what_is_marked(tmp_path):
    name = write_mask(tmp_path, "mask.png", np.eye(8))
    samples = [Sample(i, "none", "") for i in "abc"] + [Sample("d", "none", "", mask=name)]
    samples += [Sample("e", "pore", "", mask=name, place="labels.csv, line 9")]
    boxes = {
        "a": [Box(0, 0, 2, 2, "crack")],
        "b": [Box(0, 0, 2, 2)],
        "c": [Box(-6, 0, 2, 2, "crack")],  # Of which a quarter is in the image.
    }
    with pytest.raises(ManifestError) as caught:
        read(tmp_path, samples, {**boxes, "e": [Box(0, 0, 2, 2, "crack")]})
    lines = str(caught.value).splitlines()
    assert "map_weight 0. Received: 3 such images:" in lines[0]
    assert [line.strip()[0] for line in lines[1:]] == ["a", "b", "d"]
    assert "labelled 'none'" in lines[1]
    assert "boxes.csv, line 2 marks 'crack' in it, x from 0 to 2" in lines[1]
    assert "its mask mask.png marks an object" in lines[3]


@pytest.mark.parametrize("label", ["pore", "none"])
def test_a_box_labelled_none_is_refused(tmp_path, label):
    with pytest.raises(ManifestError, match=r"boxes\.csv, line 2: a box marks an object, and"):
        read(tmp_path, [Sample("a", label, "")], {"a": [Box(0, 0, 2, 2, "none")]})


def test_labels_of_findings_must_name_all_that_is_marked(tmp_path):
    task, samples = (
        SeveralFindings(["crack", "pore"]),
        [Sample("a", "pore", "", place="m.csv, line 2")],
    )
    with pytest.raises(
        ManifestError, match=r"m\.csv, line 2: it is labelled 'pore', .* 'crack' in"
    ):
        read(tmp_path, samples, {"a": [Box(0, 0, 2, 2, "crack")]}, task=task)
    marks = read(tmp_path, samples, {"a": [Box(0, 0, 2, 2, "letter")]}, task=task)
    assert marks.kinds[0, 0].tolist() == [0, BOXED]


def test_of_many_contradictions_some_are_named(tmp_path):
    samples = [Sample(f"{i}.png", "none", "") for i in range(25)]
    with pytest.raises(ManifestError, match=r"(?s)25 such images.*19\.png.*and 5 more$"):
        read(tmp_path, samples, {sample.path: [Box(0, 0, 2, 2)] for sample in samples})


@pytest.fixture(scope="module")
def boxed(tmp_path_factory):
    return read_manifest(write_marked(tmp_path_factory.mktemp("boxed"), 12, boxed=0.7))


def read_weights(run):
    return run.load_model().get_weights()


def are_alike(first, second):
    return all((a == b).all() for a, b in zip(first, second, strict=True))


def score_pointing(run, folder):
    """Return in how many of the images with a spot its map is strongest there."""
    manifest, boxes = read_manifest(folder), read_boxes(folder / "boxes.csv")
    images = np.stack([mscam_tf.read_image(path) for path in manifest.paths])[..., None]
    maps = mscam_tf.build_explainer(run.load_model()).predict(images, verbose=0)["maps"]
    hits = []
    for sample, values in zip(manifest.samples, maps, strict=True):
        for box in boxes.get(sample.path, []):
            mask = np.zeros((SIDE, SIDE))
            mask[int(box.y_min) : int(box.y_max), int(box.x_min) : int(box.x_max)] = 1
            hits.append(mscam_tf.points_at(values[..., 1] - values[..., 0], mask, 1.0))
    return np.mean(hits)


@pytest.mark.parametrize(
    ("marked", "map_weight", "lowest", "highest"),
    [
        pytest.param({}, 0.0, 0.0, 0.2, id="labels"),
        pytest.param({}, 1.0, 0.9, 1.0, id="boxes"),
        pytest.param({"masks": True}, 1.0, 0.9, 1.0, id="masks", marks=pytest.mark.slow),
    ],
)
def test_boxes_teach_the_maps_which_of_two_cues_is_meant(
    tmp_path, marked, map_weight, lowest, highest
):
    for name in ("data", "test"):
        (tmp_path / name).mkdir()
    manifest = read_manifest(write_marked(tmp_path / "data", 30, **marked))
    config = replace(CONFIG, pooling="soft", epochs=12, patience=12, map_weight=map_weight)
    run = mscam_tf.train(manifest, tmp_path / "run", config)
    found = score_pointing(run, write_marked(tmp_path / "test", 20, seed=9))
    assert lowest <= found <= highest


@pytest.mark.parametrize(
    "settings",
    [
        {"several": True, "model": "single"},
        {"precision": "mixed_bfloat16", "balance": False},
        pytest.param({"deep_supervision": 0.5, "pooling": "soft"}, marks=pytest.mark.slow),
        pytest.param({"xla": True, "precision": "mixed_float16"}, marks=pytest.mark.slow),
    ],
)
def test_every_setting_goes_with_boxes(boxed, tmp_path, settings):
    run = mscam_tf.train(boxed, tmp_path / "run", replace(CONFIG, epochs=1, **settings))
    (row,) = read_table(run.folder / "history.csv")
    assert float(row["map_loss"]) > 0
    assert float(row["val_map_loss"]) > 0
    assert len(run.load_model().inputs) == 1


def test_heads_alone_learn_from_labels_and_nothing_else_is_said(boxed, tmp_path):
    run = mscam_tf.train(boxed, tmp_path / "run", replace(CONFIG, tune="heads"))
    assert (run.folder / "model.keras").exists()
    assert not (run.folder / "marks.csv").exists()


def test_the_validation_loss_is_the_sum(boxed, tmp_path):
    config = replace(CONFIG, epochs=1, model="single", learning_rate=1e-9)
    rows = []
    for weight in (0.0, 0.5, 2.0):
        run = mscam_tf.train(boxed, tmp_path / str(weight), replace(config, map_weight=weight))
        rows.append({n: float(x) for n, x in read_table(run.folder / "history.csv")[0].items()})
    plain, half, twice = rows
    assert "map_loss" not in plain
    for prefix in ("", "val_"):
        for weight, row in ((0.5, half), (2.0, twice)):
            expected = plain[f"{prefix}loss"] + weight * row[f"{prefix}map_loss"]
            assert row[f"{prefix}loss"] == pytest.approx(expected, rel=1e-4)


def test_without_marks_nothing_changes(image_folder, tmp_path):
    manifest = read_manifest(image_folder)
    config = replace(CONFIG, image_size=(64, 64))
    runs = [
        mscam_tf.train(manifest, tmp_path / str(weight), replace(config, map_weight=weight))
        for weight in (0.0, 1.0)
    ]
    assert are_alike(*map(read_weights, runs))
    histories = [(run.folder / "history.csv").read_bytes() for run in runs]
    assert histories[0] == histories[1]
    assert not (runs[1].folder / "marks.csv").exists()


def test_boxes_beside_images_that_are_not_trained_on_change_nothing(boxed, tmp_path):
    known = read_boxes(boxed.root / "boxes.csv")
    samples = tuple(s for s in boxed.samples if s.split != "train" or s.path not in known)
    assert {s.label for s in samples if s.split == "train"} == {"none", "spot"}
    assert any(s.path in known for s in samples if s.split == "validation")
    runs = []
    for weight in (0.0, 1.0):
        config = replace(CONFIG, epochs=1, map_weight=weight)
        manifest = replace(boxed, samples=samples)
        runs.append(mscam_tf.train(manifest, tmp_path / str(weight), config))
    assert are_alike(*map(read_weights, runs))


def test_a_training_with_boxes_goes_on_to_the_same_end(boxed, tmp_path):
    config = replace(CONFIG, epochs=3)
    whole = mscam_tf.train(boxed, tmp_path / "whole", config)
    stop(boxed, tmp_path / "parts", config, Stop(1, within=True))
    check_same(whole, mscam_tf.train(boxed, tmp_path / "parts", resume=True))
    rows = list(read_table(whole.folder / "marks.csv"))
    assert [row["path"] for row in rows] == [f"spot{k}.png" for k in range(9)]
    assert len({row["sha256"] for row in rows}) == 9


def test_a_training_of_an_older_version_is_named_where_boxes_are_read_otherwise(tmp_path):
    """Until 0.4, what is marked where boxes of one class lie in each other was another thing."""
    folder, run = tmp_path / "data", tmp_path / "run"
    folder.mkdir()
    manifest = read_manifest(write_marked(folder, 12))
    stop(manifest, run, CONFIG, Stop(0))
    rows = read_table(run / "marks.csv")
    write_table(run / "marks.csv", [{**rows[0], "sha256": "0" * 64}, *rows[1:]])
    with pytest.raises(ManifestError, match=r"other masks or boxes; give the same ones to go on"):
        mscam_tf.train(manifest, run, resume=True)
    settings = json.loads((run / "config.json").read_text())
    settings["versions"]["mscam-tf"] = "0.2.9"
    write_json(run / "config.json", settings)
    with pytest.raises(ManifestError, match=r"by mscam-tf 0\.2\.9, .* finish it with that version"):
        mscam_tf.train(manifest, run, resume=True)


def test_other_boxes_and_masks_are_refused(tmp_path):
    folder, run = tmp_path / "data", tmp_path / "run"
    folder.mkdir()
    manifest = read_manifest(write_marked(folder, 12))
    stop(manifest, run, replace(CONFIG, epochs=2), Stop(0))
    boxes = read_boxes(folder / "boxes.csv")
    moved = {**boxes, "spot3.png": [Box(0, 0, 5, 5)], "spot4.png": []}
    write_boxes(moved, folder / "boxes.csv")
    message = r"begun with other masks or boxes.*2 that differ: spot3\.png, spot4\.png"
    with pytest.raises(ManifestError, match=message):
        mscam_tf.train(manifest, run, resume=True)
    (folder / "boxes.csv").unlink()
    with pytest.raises(ManifestError, match="12 that differ"):
        mscam_tf.train(manifest, run, resume=True)
    write_mask(folder, "mask.png", np.ones((SIDE, SIDE)))
    write_boxes(boxes, folder / "boxes.csv")
    masked = tuple(
        replace(s, mask="mask.png" if s.path == "spot7.png" else "") for s in manifest.samples
    )
    with pytest.raises(ManifestError, match=r"1 that differ: spot7\.png"):
        mscam_tf.train(replace(manifest, samples=masked), run, resume=True)
    assert mscam_tf.train(manifest, run, resume=True).config.map_weight == 1


@pytest.mark.parametrize("task", [OneLabel(NAMES), SeveralFindings(["crack", "pore"])])
def test_empty_masks_of_images_with_an_object_are_counted(tmp_path, caplog, task):
    empty = write_mask(tmp_path, "empty.png", np.zeros((8, 8)))
    full = write_mask(tmp_path, "full.png", np.eye(8))
    labels = [("a", "pore", empty), ("b", "none", empty), ("c", "crack", full), ("d", "pore", "")]
    samples = [Sample(name, label, "", mask=mask) for name, label, mask in labels]
    samples.append(Sample("e", "pore", "", mask=empty))
    boxes = {"e": [Box(0, 0, 4, 4)]}  # Which counts where the mask is empty.
    read(tmp_path, samples, boxes, task=task)
    (message,) = caplog.messages
    assert "1 of 3 masks of such images, that of a first" in message
    caplog.clear()
    read(tmp_path, samples[1:], boxes, task=task)
    assert not caplog.messages


def test_a_warning_says_why_nothing_is_learned_where_all_masks_are_empty(tmp_path, caplog):
    empty = write_mask(tmp_path, "empty.png", np.zeros((8, 8)))
    samples = [Sample(name, "pore", "", mask=empty) for name in "ab"]
    assert read(tmp_path, samples, {}) is None
    assert "2 of 2 masks of such images" in caplog.text
