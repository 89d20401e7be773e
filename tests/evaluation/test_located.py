import numpy as np
import pytest
from PIL import Image

import mscam_tf
from mscam_tf import Box, MscamError, open_session, read_manifest, write_boxes
from mscam_tf.evaluation import locate
from mscam_tf.runs import OperatingPoint, create_run, write_operating_point

SHAPE = (48, 60)


class Bright:
    """An engine that knows: the brighter a place is, the more its finest map says `spot`."""

    relevance = np.array([[0.5, 0.5], [0.5, 0.5]])

    def explain(self, images):
        spots = images[..., 0] - images[..., 0].mean()
        fine = np.stack([np.zeros_like(spots), 8 * spots], axis=-1)
        coarse = np.zeros_like(fine)
        nothing = np.zeros((len(images), 2))
        return {
            "logits": nothing,
            "probabilities": nothing,
            "contributions": np.zeros((len(images), 2, 2)),
            "maps": 0.5 * fine + 0.5 * coarse,
            "scale1_maps": fine,
            "scale2_maps": coarse,
        }


@pytest.fixture
def data(tmp_path):
    """Write images with a bright square each, of three sizes, and two without."""
    generator = np.random.default_rng(2)
    boxes = {}
    for number, side in enumerate((6, 14, 24, 10, 0, 0)):
        label = "spot" if side else "none"
        pixels = generator.integers(40, 50, SHAPE).astype(np.uint8)
        y, x = 4 + number, 8 + 2 * number
        pixels[y : y + side, x : x + side] = 200
        path = tmp_path / "data" / label / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
        if side:
            boxes[f"{label}/{number}.png"] = [Box(x, y, x + side, y + side)]
    write_boxes(boxes, tmp_path / "data" / "boxes.csv")
    return read_manifest(tmp_path / "data")


@pytest.fixture
def run(tmp_path):
    config = mscam_tf.TrainConfig(backbone="TinyNet", image_size=SHAPE, batch_size=4)
    return create_run(tmp_path / "run", config, ["none", "spot"], "")


def score(run, data, **options):
    return locate(open_session(run, engine=Bright()), data, resamples=20, **options)


def pick(found, name, size="all"):
    (row,) = (row for row in found.rows if (row.map, row.size) == (name, size))
    return row


def test_maps_that_know_find_all(run, data):
    found = score(run, data)
    assert (found.num_images, found.num_groups) == (6, 6)
    total = 6**2 + 14**2 + 24**2 + 10**2
    assert found.prevalence == pytest.approx(total / 4 / (SHAPE[0] * SHAPE[1]))
    for name in ("sum", "scale 1"):
        row = pick(found, name)
        assert (row.images, row.objects) == (4, 4)
        assert row.scores["found"] == (1, 1, 1)
        assert row.scores["pointing"][0] == 1
        assert row.scores["pxap"][0] == pytest.approx(1, abs=1e-3)
        assert row.scores["max_box_acc_v2"][0] == 1
    assert pick(found, "scale 2").scores["pointing"][0] == 0
    assert pick(found, "bright spots").scores["found"][0] == 1
    assert pick(found, "middle").scores["max_box_acc_v2"][0] < 1


def test_ranges_of_sizes_are_scored_each(run, data):
    found = score(run, data, thresholds=(8, 20))
    counts = {row.size: row.objects for row in found.rows if row.map == "sum"}
    assert counts == {"all": 4, "< 8": 1, "8 to 20": 2, ">= 20": 1}
    assert set(found.curves) == set(counts)
    rates, shares = found.curves["< 8"]["sum"]
    assert rates[0] == 0
    assert shares[-1] == 1


def test_marks_at_the_operating_point(run, data):
    assert all("false_marks" not in row.scores for row in score(run, data).rows)
    write_operating_point(run, OperatingPoint({"spot": 1.0}, good="none"))
    row = pick(score(run, data), "operating point")
    assert row.scores == {"found": (1, 1, 1), "false_marks": (0, 0, 0)}
    write_operating_point(run, OperatingPoint({"spot": -9.0}, good="none"))
    row = pick(score(run, data), "operating point")
    assert row.scores["false_marks"][0] >= 2 / 6  # Good images are one region each.


def test_progress_is_told(run, data):
    counts = {"on_check": 0, "on_progress": 0, "on_resample": 0}

    def add(name):
        def count(number):
            counts[name] += number

        return count

    score(run, data, **{name: add(name) for name in counts})
    assert counts == {"on_check": 6, "on_progress": 6, "on_resample": 20}


def test_bad_images_are_left_out_on_request(run, data):
    bad = data.root / "none" / "5.png"
    bad.write_bytes(b"broken")
    with pytest.raises(mscam_tf.ImageError, match=r"5\.png(.|\n)*--skip-bad"):
        score(run, data)
    found = score(run, data, skip_bad=True)
    assert found.num_images == 5
    assert [problem.path for problem in found.skipped] == [bad]


def test_a_session_without_scale_maps_is_refused(three_class_run, data):
    session = open_session(three_class_run, scale_maps=False)
    with pytest.raises(MscamError, match=r"maps of each scale \(scale_maps=True\)"):
        locate(session, data, resamples=2)


def test_a_real_model_is_scored(three_class_run, data):
    found = locate(three_class_run, data, resamples=3, flips=True)
    names = {row.map for row in found.rows}
    assert {"sum", "scale 1", "scale 2", "scale 3", "middle"} <= names
    assert all(0 <= row.scores["pxap"][0] <= 1 for row in found.rows if row.images)
