from pathlib import Path

import numpy as np
import pytest
import tifffile

from mscam_tf import ImageError, MscamError, find_regions
from mscam_tf.inspection import Framing, explain_frame, inspect_frame
from mscam_tf.runs import OperatingPoint
from tests.inspection.models import PointEngine, make_session

POINT = OperatingPoint({"bone": 5.0}, decision_threshold=0.0, good="none")


def save(path, image):
    np.save(path, image.astype(np.float32))
    return path


def draw(size=(70, 50)):
    """A dark frame with a long bone across many tiles, and a spot."""
    image = np.random.default_rng(0).random(size) * 0.05
    image[10:60, 20:23] = 0.9
    image[5:8, 40:44] = 0.7
    return image


def test_blended_maps_are_those_of_the_whole_frame(tmp_path):
    image = draw()
    maps = explain_frame(make_session(), save(tmp_path / "a.npy", image))
    np.testing.assert_allclose(maps[..., 0], 10 * image, atol=1e-5)
    assert maps.shape == (70, 50, 2)


def test_regions_are_those_of_the_whole_map(tmp_path):
    image = draw()
    found = inspect_frame(make_session(), save(tmp_path / "a.npy", image), POINT)
    bone, spot = found.regions
    first, second = find_regions(10 * image.astype(np.float32), 5.0)
    assert (bone.box, bone.area, bone.label) == (first.box, 150, "bone")
    assert (spot.box, spot.center) == (second.box, pytest.approx(second.center))
    assert found.size == found.seen_size == image.shape
    assert [row["y_max"] for row in found.list_rows()] == [60, 8]


def test_the_frame_is_rejected_by_its_worst_tile(tmp_path):
    image = draw()
    engine = PointEngine()
    path = save(tmp_path / "a.npy", image)
    found = inspect_frame(make_session(engine), path, POINT, Framing(overlap=0))
    scores = [tile.verdict.score for tile in found.tiles]
    assert len(scores) == 5 * 5
    assert engine.shapes == [(4, 16, 12, 1)] * 6 + [(1, 16, 12, 1)]
    assert found.verdict.score == max(scores)
    # Three of its twelve columns are bone, in all of its rows.
    worst = image[16:32, 12:24].mean() * 10 - 1
    assert found.verdict.score == pytest.approx(worst, abs=1e-5)
    assert found.verdict.rejected
    assert found.verdict.label == "bone"
    assert not found.tiles[4].verdict.rejected
    assert (found.tiles[4].x, found.tiles[4].y) == (38, 0)


def test_a_good_frame_is_accepted_and_small_ones_are_filled_up(tmp_path):
    found = inspect_frame(make_session(), save(tmp_path / "a.npy", np.zeros((9, 5))), POINT)
    assert found.verdict.rejected is False
    assert found.verdict.score == pytest.approx(-1)
    assert found.map.shape == found.image.shape == (9, 5)
    assert (found.regions, len(found.tiles)) == ([], 1)


def test_without_a_point_the_run_or_even_odds_decide(tmp_path):
    found = inspect_frame(make_session(), save(tmp_path / "a.npy", draw()))
    # The bias of bone is one below that of none: a place has even odds at 1.
    assert len(found.regions) == 2
    assert min(region.score for region in found.regions) >= 1
    assert found.verdict.rejected


def test_pictures_of_large_frames_are_smaller(tmp_path):
    image = np.zeros((4, 4100))
    image[0, 3000] = 1
    found = inspect_frame(make_session(), save(tmp_path / "a.npy", image), POINT)
    assert found.image.shape == found.map.shape == (2, 1367)
    assert found.image[0, 1000] == 1
    assert found.map[0, 1000] == 10
    assert found.regions[0].peak == (3000.5, 0.5)


def test_a_large_frame_that_shows_nothing_is_known_by_all_of_its_pixels(tmp_path):
    image = np.full((600, 2052), 0.3)
    framing = Framing(tile_size=(300, 1026), overlap=0)
    assert inspect_frame(make_session(), save(tmp_path / "a.npy", image), POINT, framing).constant
    image[581, 3] = 0.4  # In the last strip, and not in the picture of every second pixel.
    found = inspect_frame(make_session(), save(tmp_path / "b.npy", image), POINT, framing)
    assert (found.image == found.image[0, 0]).all()
    assert not found.constant


def test_files_are_read_in_strips(tmp_path):
    image = (draw() * 60_000).astype(np.uint16)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, image, compression="deflate", rowsperstrip=7)
    maps = explain_frame(make_session(), path)
    np.testing.assert_allclose(maps[..., 0], image / 6553.5, atol=1e-5)


def test_what_cannot_be_inspected_is_named(tmp_path):
    with pytest.raises(ImageError, match=r"missing\.png: no such file"):
        inspect_frame(make_session(), tmp_path / "missing.png", POINT)

    class FixedEngine(PointEngine):
        def explain(self, images):
            raise RuntimeError("shape")

    path = save(tmp_path / "a.npy", draw())
    with pytest.raises(MscamError, match=r"--free-size.*Received: tile_size=\(8, 8\)"):
        inspect_frame(make_session(FixedEngine()), path, POINT, Framing(tile_size=(8, 8)))
    with pytest.raises(RuntimeError, match="shape"):
        inspect_frame(make_session(FixedEngine()), Path(path), POINT)
    found = inspect_frame(make_session(), path, POINT, Framing(tile_size=(8, 8)))
    assert found.tiles[1].x == 6
