import csv
import os
from pathlib import Path
from shutil import copy

import pytest

import mscam_tf
from mscam_tf import ImageError
from mscam_tf.errors import RunError
from mscam_tf.files import name_files, read_table, write_table
from tests.data.reading.test_orientation import save


def test_writes_pictures_and_table(finished_run, image_folder, tmp_path):
    paths = [image_folder / "none" / "none0.png", image_folder / "wide" / "wide1.png"]
    seen = []
    mscam_tf.write_explanations(finished_run, paths, tmp_path / "out", seen.append)
    assert [e.path for e in seen] == paths
    names = {path.name for path in (tmp_path / "out").iterdir()}
    pictures = {
        f"{stem}_{kind}.png" for stem in ("none0", "wide1") for kind in ("overlay", "scales")
    }
    tables = {"explanations.csv", "regions.csv"}
    assert names == pictures | {"sheet.png", "relevance.png"} | tables
    with (tmp_path / "out" / "explanations.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["in_words"] == seen[0].describe()
    assert float(rows[1]["contributions_scale2"]) == pytest.approx(
        seen[1].contributions[1, seen[1].predicted], abs=1e-5
    )


def test_lists_the_regions(finished_run, image_folder, tmp_path):
    path = image_folder / "wide" / "wide1.png"
    seen = []
    options = {"threshold": -100.0, "on_regions": lambda *each: seen.append(each)}
    mscam_tf.write_explanations(finished_run, [path], tmp_path / "all", **options)
    (explanation, (region,)) = seen[0]
    assert (explanation.path, region.area, region.label) == (path, 64 * 64, "wide")
    (row,) = read_table(tmp_path / "all" / "regions.csv")
    index = explanation.class_names.index("wide")
    whole = explanation.contributions[:, index].sum()
    assert float(row["share"]) == pytest.approx(whole, abs=1e-4)
    assert (row["x_max"], row["y_max"]) == ("40", "40")  # The file has 40 x 40 pixels.
    assert "from elsewhere" in read_table(tmp_path / "all" / "explanations.csv")[0]["in_regions"]
    mscam_tf.write_explanations(finished_run, [path], tmp_path / "none", threshold=1e6)
    assert read_table(tmp_path / "none" / "regions.csv") == []


def test_boxes_for_labelling_tools(finished_run, image_folder, tmp_path):
    path = image_folder / "wide" / "wide1.png"
    with pytest.raises(mscam_tf.MscamError, match="box_format='kitti'"):
        mscam_tf.write_explanations(finished_run, [path], tmp_path, box_format="kitti")
    turned = save(tmp_path / "turned.png", 3)
    with pytest.raises(mscam_tf.ManifestError, match=r"turned\.png, with the orientation 3 of"):
        mscam_tf.write_explanations(finished_run, [turned], tmp_path / "out", box_format="coco")
    assert list(tmp_path.iterdir()) == [turned]
    options = {"threshold": -100.0, "box_format": "voc"}
    mscam_tf.write_explanations(finished_run, [path], tmp_path / "out", **options)
    boxes = mscam_tf.read_boxes(tmp_path / "out" / "boxes")
    assert boxes == {"wide1.png": [mscam_tf.Box(0, 0, 40, 40, "wide")]}


def test_other_images_do_not_mix(finished_run, image_folder, tmp_path):
    first, second = (image_folder / "none" / f"none{number}.png" for number in (0, 1))
    mscam_tf.write_explanations(finished_run, [first], tmp_path / "out")
    with pytest.raises(RunError, match="--overwrite"):
        mscam_tf.write_explanations(finished_run, [second], tmp_path / "out")
    mscam_tf.write_explanations(finished_run, [second], tmp_path / "out", overwrite=True)
    names = {path.name for path in (tmp_path / "out").glob("none*")}
    assert names == {"none1_overlay.png", "none1_scales.png"}
    notes = tmp_path / "out" / "notes.txt"
    notes.touch()
    mscam_tf.write_explanations(finished_run, [first], tmp_path / "out", overwrite=True)
    assert (tmp_path / "out" / "none0_overlay.png").exists()
    assert notes.exists()
    with pytest.raises(RunError, match="is no folder"):
        mscam_tf.write_explanations(finished_run, [second], notes, overwrite=True)
    (tmp_path / "out" / "explanations.csv").unlink()
    with pytest.raises(RunError, match="not known as explanations"):
        mscam_tf.write_explanations(finished_run, [second], tmp_path / "out", overwrite=True)


@pytest.mark.parametrize("known", [True, False])
def test_pictures_of_somebody_stay_where_the_table_names_ours(
    finished_run, image_folder, tmp_path, known
):
    first, second = (image_folder / "none" / f"none{number}.png" for number in (0, 1))
    out = tmp_path / "out"
    mscam_tf.write_explanations(finished_run, [first], out, box_format="yolo")
    mine = [out / f"patient7_{kind}.png" for kind in ("maps", "overlay", "scales")]
    mine.append(out / "boxes" / "patient7.txt")  # Of a labelling tool.
    for path in mine:
        path.touch()
    if not known:  # As versions before 0.4 wrote it.
        rows = read_table(out / "explanations.csv")
        write_table(out / "explanations.csv", [{"path": "a", "predicted": "b", "logit": 1}])
        assert rows[0]["pictures"] == "none0"
    mscam_tf.write_explanations(finished_run, [second], out, overwrite=True)
    assert not list(out.rglob("none0*"))
    assert [path.exists() for path in mine] == [known] * 4


def test_one_odd_name_costs_nothing(finished_run, image_folder, tmp_path):
    names = ["a$\\foo$b", "필름" * 40, "film[bone]", "=1+1", os.fsdecode(b"\xff\xfe"), "\x1b[31m"]
    paths = [tmp_path / f"{name}.png" for name in names]
    for path in paths:
        copy(image_folder / "none" / "none0.png", path)
    mscam_tf.write_explanations(finished_run, paths, tmp_path / "out")
    assert len(list((tmp_path / "out").glob("*_overlay.png"))) == len(names)
    rows = read_table(tmp_path / "out" / "explanations.csv")
    assert [row["path"] for row in rows] == [str(path) for path in paths]


def test_images_of_the_same_name_do_not_overwrite_each_other(finished_run, image_folder, tmp_path):
    paths = [tmp_path / name for name in ("a/x.png", "b/x.png", "c/a_x.png", "e/a/x.png")]
    for path in paths:
        path.parent.mkdir(parents=True)
        copy(image_folder / "none" / "none0.png", path)
    mscam_tf.write_explanations(finished_run, paths, tmp_path / "out")
    assert (tmp_path / "out" / "b_x_overlay.png").exists()
    assert len(list((tmp_path / "out").glob("*_overlay.png"))) == 4


def test_names_never_collide():
    paths = [Path(name) for name in ("a/x.png", "b/x.png", "c/a_x.png", "d/a_x.png", "e/a/x.png")]
    assert len(set(name_files(paths))) == 5


def test_unreadable_images_are_named(finished_run, tmp_path):
    (tmp_path / "a.png").write_bytes(b"x")
    with pytest.raises(ImageError, match=r"a\.png"):
        mscam_tf.write_explanations(finished_run, [tmp_path / "a.png"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_unreadable_images_are_left_out_on_request(finished_run, image_folder, tmp_path):
    (tmp_path / "a.png").write_bytes(b"x")
    paths = [tmp_path / "a.png", image_folder / "none" / "none0.png"]
    mscam_tf.write_explanations(finished_run, paths, tmp_path / "out", skip_bad=True)
    assert (tmp_path / "out" / "none0_overlay.png").exists()
    assert not (tmp_path / "out" / "a_overlay.png").exists()
    rows = (tmp_path / "out" / "skipped.csv").read_text().splitlines()
    assert rows[0] == "path,reason"
    assert rows[1].startswith(str(tmp_path / "a.png"))


@pytest.mark.parametrize("threshold", [float("nan"), float("inf"), "high"])
def test_a_threshold_is_a_number(finished_run, image_folder, tmp_path, threshold):
    path = image_folder / "wide" / "wide1.png"
    with pytest.raises(mscam_tf.MscamError, match=r"`threshold` must be a number"):
        mscam_tf.write_explanations(finished_run, [path], tmp_path / "out", threshold=threshold)
    assert not list(tmp_path.iterdir())


def test_a_session_without_the_maps_of_each_scale_is_refused(finished_run, image_folder, tmp_path):
    paths = sorted(image_folder.glob("wide/*"))[:2]
    session = mscam_tf.open_session(finished_run, scale_maps=False)
    with pytest.raises(mscam_tf.MscamError, match="scale_maps=True"):
        mscam_tf.write_explanations(session, paths, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
