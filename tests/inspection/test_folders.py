import json
import os
import shutil
import threading
import time
from dataclasses import replace
from unittest.mock import ANY

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

import mscam_tf
from mscam_tf import RunError
from mscam_tf.drift import fit_reference, measure_image, write_reference
from mscam_tf.inspection import Framing, inspect_images, watch_folders
from mscam_tf.locks import hold
from mscam_tf.outputs import OutputError
from tests.inspection.models import PointEngine, PointSource, make_session
from tests.inspection.scans import write_scan


def read(folder, name="images"):
    return pq.read_table(folder / name).to_pylist()


def name(rows):
    return [row["path"].rpartition("/")[2] for row in rows]


def test_a_row_an_image_and_a_row_a_region(session, scans, tmp_path):
    out, seen = tmp_path / "out", []
    (scans / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    paths = sorted(scans.iterdir())
    summary = inspect_images(session, paths, out, on_start=seen.append, on_entry=seen.append)
    assert seen[0] == 8
    rows = read(out)
    assert name(rows) == [path.name for path in paths]
    assert [row["rejected"] for row in rows[:7]] == [False, True] * 3 + [False]
    # 160 of 1,280 pixels are at 230, all others at 13.
    score = 10 * (160 * 230 + 1120 * 13) / 255 / 1280 - 1
    assert rows[1]["score"] == pytest.approx(score, abs=1e-4)
    assert (rows[1]["height"], rows[1]["width"], rows[1]["label"]) == (40, 32, "bone")
    assert rows[7]["problem"]
    assert rows[7]["rejected"] is None
    regions = read(out, "regions")
    assert name(regions) == ["1.png", "3.png", "5.png"]
    box = [regions[0][side] for side in ("x_min", "y_min", "x_max", "y_max")]
    assert box == [8, 10, 16, 30]
    assert (regions[0]["area"], regions[0]["score"]) == (160, pytest.approx(9.02, abs=0.01))
    assert (summary.accepted, summary.rejected, summary.unreadable) == (4, 3, 1)
    assert (summary.images, summary.regions, summary.status) == (8, 3, 4)
    assert [entry.path for entry in seen[1:]] == paths
    written = json.loads((out / "summary.json").read_text())
    assert (written["status"], written["complete"]) == (4, True)
    assert written["labels"] == {"none": 4, "bone": 3}


def test_batches_are_of_one_size(session, scans, tmp_path):
    inspect_images(session, sorted(scans.iterdir()), tmp_path / "out")
    assert session.engine.shapes == [(4, 40, 32, 1), (3, 40, 32, 1)]


def test_pictures_of_rejects(session, scans, tmp_path):
    paths = sorted(scans.iterdir())
    inspect_images(session, paths, tmp_path / "out")
    named = [row["picture"] for row in read(tmp_path / "out")]
    pictures = tmp_path / "out" / "pictures"
    assert sorted(path.name for path in pictures.iterdir()) == sorted(filter(None, named))
    assert [bool(one) for one in named] == [False, True] * 3 + [False]
    with Image.open(pictures / named[1]) as picture:
        colors = np.asarray(picture).astype(int)
    assert colors.shape[1] > 2 * 256
    assert (colors[..., 0] - colors[..., 2]).max() > 100  # Red: evidence for a bone.
    inspect_images(session, paths, tmp_path / "all", pictures="all")
    assert len(list((tmp_path / "all" / "pictures").iterdir())) == 7
    inspect_images(session, paths, tmp_path / "none", pictures="none")
    assert not (tmp_path / "none" / "pictures").exists()
    with pytest.raises(mscam_tf.MscamError, match="pictures"):
        inspect_images(session, paths, tmp_path / "no", pictures="some")


def test_sharp_maps_are_marked_and_painted_in_colours_of_their_own(session, scans, tmp_path):
    path = session.run.folder / "operating_point.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {
        "map_thresholds": {"bone": 1.0}, "scale": "sharp"}))  # fmt: skip
    inspect_images(session, sorted(scans.iterdir()), tmp_path / "out", pictures="all")
    regions = read(tmp_path / "out", "regions")
    assert {path.rpartition("/")[2] for path in (row["path"] for row in regions)} == {
        "1.png", "3.png", "5.png"}  # fmt: skip
    assert all(1 < row["score"] < 4 for row in regions)
    shown = {row["path"]: row["picture"] for row in read(tmp_path / "out")}
    for path, picture in shown.items():
        with Image.open(tmp_path / "out" / "pictures" / picture) as opened:
            colors = np.asarray(opened).astype(int)[:, opened.width // 2 :]
        hot = (colors[..., 0] - colors[..., 2]).max() > 100
        assert hot == (path.rpartition("/")[2] in ("1.png", "3.png", "5.png"))


class StopError(BaseException):
    """Stops as Ctrl-C does."""


@pytest.mark.parametrize("after", [1, 3, 5, 7])
def test_a_stop_loses_and_doubles_no_row(session, scans, tmp_path, after):
    out, paths, count = tmp_path / "out", sorted(scans.iterdir()), []

    def stop(entry):
        count.append(entry)
        if len(count) == after:
            raise StopError

    with pytest.raises(StopError):
        inspect_images(session, paths, out, on_entry=stop)
    assert len(read(out)) == after
    assert json.loads((out / "summary.json").read_text())["complete"] is False
    summary = inspect_images(session, paths, out)
    assert name(read(out)) == [path.name for path in paths]
    assert len(read(out, "regions")) == 3
    assert (summary.images, summary.inspected, summary.rejected) == (7, 7 - after, 3)
    again = inspect_images(session, paths, out)
    assert (again.inspected, again.images) == (0, 7)


def test_half_a_part_is_removed(session, scans, tmp_path):
    out, paths = tmp_path / "out", sorted(scans.iterdir())
    inspect_images(session, paths[:3], out)
    (out / "regions" / "000002.parquet").write_bytes(b"left by a stop between two files")
    halves = [out / folder / ".partial-0123456789ab.png" for folder in ("pictures", "images")]
    for path in halves:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"left by a kill")
    inspect_images(session, paths, out)
    assert name(read(out, "regions")) == ["1.png", "3.png", "5.png"]
    assert not any(path.exists() for path in halves)


def test_frames_have_rows_of_their_tiles(session, tmp_path):
    image = np.full((60, 70), 13, np.uint8)
    image[20:55, 30:38] = 230
    Image.fromarray(image).save(tmp_path / "film.png")
    (tmp_path / "none.png").write_bytes(b"no image")
    paths, out = [tmp_path / "film.png", tmp_path / "none.png"], tmp_path / "out"
    summary = inspect_images(session, paths, out, framing=Framing())
    first, second = read(out)
    assert (first["height"], first["width"], first["tiles"], first["rejected"]) == (60, 70, 6, True)
    assert "expected a PNG" in second["problem"]
    (region,) = read(out, "regions")
    assert [region[side] for side in ("x_min", "y_min", "x_max", "y_max")] == [30, 20, 38, 55]
    tiles = read(out, "tiles")
    assert [(tile["x"], tile["y"]) for tile in tiles[:4]] == [(0, 0), (24, 0), (38, 0), (0, 20)]
    assert max(tile["score"] for tile in tiles) == first["score"]
    assert summary.status == 4


def test_other_sizes_are_resized_and_boxes_are_those_of_the_file(session, tmp_path):
    image = Image.open(write_scan(tmp_path / "a.png", True)).resize((64, 120))
    image.save(tmp_path / "a.png")
    inspect_images(session, [tmp_path / "a.png"], tmp_path / "out", pictures="all")
    (row,), (region,) = read(tmp_path / "out"), read(tmp_path / "out", "regions")
    assert (row["height"], row["width"]) == (120, 64)
    box = [region[side] for side in ("x_min", "y_min", "x_max", "y_max")]
    np.testing.assert_allclose(box, [16, 30, 32, 90], atol=3)


def test_a_folder_is_gone_on_with_by_the_same_run_alone(session, scans, tmp_path):
    out, paths = tmp_path / "out", sorted(scans.iterdir())
    inspect_images(session, paths[:2], out)
    with pytest.raises(RunError, match="framing"):
        inspect_images(session, paths, out, framing=Framing())
    with pytest.raises(RunError, match=r"Expected: \{'fast': None\}. Received: \{'fast': True\}"):
        inspect_images(PointSource(session.run.folder, fast=True), paths, out)
    (session.run.folder / "model.keras").write_bytes(b"another model")
    with pytest.raises(RunError, match="source_sha256"):
        inspect_images(session, paths, out)
    mine = [out / "pictures" / "mine.png", out / "images" / "mine.parquet"]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    summary = inspect_images(session, paths[2:], out, overwrite=True)
    assert all(path.exists() for path in mine)
    mine[1].unlink()
    assert (summary.images, len(read(out))) == (5, 5)


def test_images_that_were_replaced_are_not_taken_for_inspected(session, scans, tmp_path):
    """A camera that uses its names again: the verdicts would be those of the images before."""
    out, paths = tmp_path / "out", sorted(scans.iterdir())
    before = inspect_images(session, paths[:3], out)
    rows = read(out)
    assert [row["modified"] for row in rows] == [path.stat().st_mtime for path in paths[:3]]
    paths[0].unlink()  # In an archive, perhaps.
    assert inspect_images(session, paths[:3], out) == replace(before, inspected=0, seconds=ANY)
    os.utime(write_scan(paths[1], True), (1, 1))  # Older too: a file that was moved there.
    with pytest.raises(
        RunError, match=r"must be as they were.*Received: 1 that .*such as .*1\.png"
    ):
        inspect_images(session, paths, out)
    assert read(out) == rows
    assert json.loads((out / "summary.json").read_text())["complete"]
    assert inspect_images(session, paths[2:4], out).images == before.images + 1
    assert inspect_images(session, paths[1:], out, overwrite=True).inspected == len(paths) - 1


def test_a_link_that_moves_on_each_day_leads_to_other_images(session, scans, tmp_path):
    today, out = tmp_path / "today", tmp_path / "out"
    days = [scans, shutil.copytree(scans, tmp_path / "tuesday")]
    for day in days:
        today.unlink(missing_ok=True)
        today.symlink_to(day)
        inspect_images(session, sorted(today.iterdir()), out)
    assert inspect_images(session, [p for day in days for p in day.iterdir()], out).images == 14


@pytest.mark.parametrize("watched", [False, True])
def test_what_could_not_be_read_and_has_changed_is_inspected_anew(
    session, scans, tmp_path, watched
):
    """It was half copied, or not there yet."""
    folder, out = tmp_path / "incoming", tmp_path / "out"
    folder.mkdir()
    whole = write_scan(folder / "half.png", True).read_bytes()
    (folder / "half.png").write_bytes(whole[:60])
    (folder / "broken.png").write_bytes(b"no image")
    paths = [folder / f"{name}.png" for name in ("half", "broken", "late")]
    assert inspect_images(session, [*scans.iterdir(), *paths], out).unreadable == 3
    (folder / "half.png").write_bytes(whole)
    write_scan(folder / "late.png", True)
    if watched:
        summary = watch_folders(session, [folder], out, idle=0.3)
    else:
        summary = inspect_images(session, paths, out)
    assert (summary.inspected, summary.images, summary.unreadable) == (2, 10, 1)
    assert sorted(name(read(out))[-2:]) == ["half.png", "late.png"]
    assert len(read(out)) == 10
    assert summary.rejected == 5
    assert inspect_images(session, paths, out) == replace(summary, inspected=0, seconds=ANY)


def test_a_line_goes_on_where_images_were_replaced_and_says_so(session, scans, tmp_path, caplog):
    out = tmp_path / "out"
    inspect_images(session, sorted(scans.iterdir()), out)
    write_scan(scans / "1.png", True)
    assert watch_folders(session, [scans], out, idle=0.3).inspected == 0
    assert caplog.text.count("1.png has changed since it was inspected, and is not inspected") == 1


def test_two_commands_do_not_share_a_folder(session, scans, tmp_path):
    out = tmp_path / "out"
    inspect_images(session, [], out)
    with hold(out), pytest.raises(OutputError, match="Another command"):
        inspect_images(session, sorted(scans.iterdir()), out)


@pytest.mark.parametrize("entry", ["images", "tiles", "pictures", "summary.json"])
def test_something_else_in_the_place_of_an_entry_is_named(session, scans, tmp_path, entry):
    out = tmp_path / "out"
    inspect_images(session, sorted(scans.iterdir()), out, pictures="none")
    path = out / entry
    if path.is_file():
        path.unlink()
        path.mkdir()
    else:
        shutil.rmtree(path, ignore_errors=True)
        path.touch()
    for overwrite in (False, True):
        with pytest.raises(
            OutputError, match=rf"{entry} must be a \w+; move it away\. Received: a"
        ):
            inspect_images(session, [], out, overwrite=overwrite)
    assert path.exists()


def test_what_is_not_ours_stays(session, scans):
    with pytest.raises(OutputError, match="not known as an inspection"):
        inspect_images(session, sorted(scans.iterdir()), scans)


def test_pictures_in_a_folder_that_is_inspected_are_no_images(session, scans, tmp_path):
    out = scans / "out"
    inspect_images(session, sorted(scans.glob("*.png")), out)
    everything = sorted(scans.rglob("*.png"))
    assert len(everything) == 10
    assert inspect_images(session, everything, out).images == 7


def test_without_good_images_there_is_no_verdict(scans, session, tmp_path):
    (session.run.folder / "operating_point.json").write_text('{"map_thresholds": {"bone": 5.0}}')
    summary = inspect_images(session, sorted(scans.iterdir()), tmp_path / "out")
    assert (summary.without_verdict, summary.status) == (7, 0)
    assert {row["rejected"] for row in read(tmp_path / "out")} == {None}


def test_a_run_without_operating_point_begins_at_even_odds(scans, session, tmp_path):
    (session.run.folder / "operating_point.json").unlink()
    summary = inspect_images(session, sorted(scans.iterdir()), tmp_path / "out")
    assert (summary.rejected, summary.accepted) == (3, 4)


def test_watched_files_are_taken_when_complete(session, tmp_path):
    folder, out = tmp_path / "incoming", tmp_path / "out"
    whole = write_scan(tmp_path / "1.png", True).read_bytes()

    def scan():
        folder.mkdir()
        write_scan(folder / "0.png", False)
        with (folder / "1.png").open("wb") as file:
            for start in range(0, len(whole), -(-len(whole) // 4)):
                file.write(whole[start : start + -(-len(whole) // 4)])
                file.flush()
                time.sleep(0.3)
        (folder / "note.txt").write_text("no image")

    scanner = threading.Thread(target=scan)
    scanner.start()
    summary = watch_folders(session, [folder], out, idle=1.5)
    scanner.join()
    rows = sorted(read(out), key=lambda row: row["path"])
    assert [row["rejected"] for row in rows] == [False, True]
    assert all(0.4 < row["latency"] < 2 for row in rows)
    assert (summary.inspected, summary.status) == (2, 3)
    again = watch_folders(session, [folder], out, idle=0.3)
    assert (again.inspected, again.images) == (0, 2)


def test_rows_are_the_same_in_any_batch(scans, tmp_path, session):
    paths = sorted(scans.iterdir())
    inspect_images(session, paths, tmp_path / "a")
    single = make_session(PointEngine(), (40, 32), batch_size=1, folder=session.run.folder)
    inspect_images(single, paths, tmp_path / "b")
    assert read(tmp_path / "a") == read(tmp_path / "b")


@pytest.fixture
def watched(session, tmp_path):
    """A run that keeps a reference of images of noise, and 120 images, of which 30 are brighter."""
    generator, folder = np.random.default_rng(0), tmp_path / "noise"
    folder.mkdir()
    features, logits = [], []
    for number in range(250):
        level = 60 if number < 220 else 80
        image = generator.normal(level + generator.normal(0, 2), 4, (40, 32)).round()
        if number >= 130:
            Image.fromarray(image.astype(np.uint8)).save(folder / f"{number}.png")
        else:
            features.append(measure_image(image / 255))
            logits.append([10 * image.mean() / 255 - 1, 0.0])  # As the engine says.
    write_reference(session.run, fit_reference(np.array(features), np.array(logits)))
    point = {"map_thresholds": {"bone": 5.0}, "decision_threshold": 9.0, "good": "none"}
    (session.run.folder / "operating_point.json").write_text(json.dumps(point))
    return sorted(folder.iterdir())


def test_drift_is_told_of_images_and_periods(session, watched, tmp_path):
    out, entries = tmp_path / "out", []
    summary = inspect_images(session, watched, out, on_entry=entries.append)
    drift = summary.drift
    assert (drift.images, drift.judged, drift.period) == (120, 2, 50)
    (period,) = drift.periods
    assert (period.first, period.last) == (str(watched[50]), str(watched[99]))
    assert period.features["intensity"] == "above"
    assert [index for index, one in enumerate(entries) if one.moved] == [99]
    rows = read(out)
    unlike = [row["drift_feature"] is not None for row in rows]
    assert sum(unlike) == drift.unlike == sum(drift.features.values())
    assert sum(unlike[:90]) <= 4
    assert sum(unlike[90:]) > 20
    assert rows[90]["intensity"] - rows[0]["intensity"] == pytest.approx(20 / 255, abs=0.04)
    assert json.loads((out / "summary.json").read_text())["drift"]["judged"] == 2


@pytest.mark.parametrize("after", [30, 99])
def test_drift_is_the_same_after_a_stop(session, watched, tmp_path, after):
    whole = inspect_images(session, watched, tmp_path / "whole")
    inspect_images(session, watched[:after], tmp_path / "parts")
    parts = inspect_images(session, watched, tmp_path / "parts")
    assert parts.drift == whole.drift
    assert read(tmp_path / "parts") == read(tmp_path / "whole")


@pytest.mark.slow
def test_drift_is_the_same_by_workers(session, watched, tmp_path):
    alone = inspect_images(session, watched, tmp_path / "one")
    shared = inspect_images(PointSource(session.run.folder), watched, tmp_path / "two", workers=2)
    assert shared.drift == alone.drift
    assert shared.drift.periods
    assert read(tmp_path / "one") == read(tmp_path / "two")


def test_drift_of_frames_and_without_a_reference_is_not_watched(session, watched, tmp_path):
    framed = inspect_images(session, watched[:2], tmp_path / "framed", framing=Framing())
    assert framed.drift is None
    inspect_images(session, watched[:2], tmp_path / "out")
    (session.run.folder / "drift.json").unlink()
    with pytest.raises(RunError, match="drift_reference"):
        inspect_images(session, watched, tmp_path / "out")
    assert inspect_images(session, watched[:2], tmp_path / "new").drift is None
    assert read(tmp_path / "new")[0]["drift"] is None
