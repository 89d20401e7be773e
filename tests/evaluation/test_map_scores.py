import numpy as np
import pytest

from mscam_tf import Box, ReadOptions, metrics
from mscam_tf.evaluation.map_scores import STEP, MapScores, Marked, score_map
from mscam_tf.evaluation.marked_images import MarkedImage

ALL = (0.0, np.inf)
SMALL, LARGE = (0.0, 7.0), (7.0, np.inf)


def make_objects(*boxes):
    sizes = np.array([box.area**0.5 for box in boxes])
    return MarkedImage(boxes, sizes, None, (40, 50), ReadOptions())


OBJECTS = [
    make_objects(Box(5, 5, 10, 10), Box(30, 20, 40, 30)),  # A small one and a large one.
    make_objects(Box(20, 8, 26, 14)),
    make_objects(),
    make_objects(Box(2, 2, 12, 12, visible=0.2)),  # Which need not be found.
]


def draw_maps():
    maps = np.random.default_rng(3).normal(0, 0.01, (4, 40, 50))
    maps[0, 20:30, 30:40] += 2  # The large object is found.
    maps[1, 8:14, 20:26] += 1
    maps[1, 30:34, 40:44] += 1.5  # A higher place is false.
    maps[2, 5:9, 5:9] += 0.5
    maps[3, 5:8, 5:8] += 3  # On the object that need not be found.
    return maps


@pytest.fixture(scope="module")
def table():
    pairs = zip(draw_maps(), OBJECTS, strict=True)
    return MapScores(OBJECTS, [score_map(map_, one, one.paint()) for map_, one in pairs])


def test_images_and_objects_are_counted_by_size(table):
    assert table.count(ALL) == (2, 3)
    assert table.count(SMALL) == (1, 2)
    assert table.count(LARGE) == (1, 1)


def test_measures_of_sizes(table):
    rows = np.arange(4)
    assert table.measure("pointing", ALL, rows) == 0.5
    assert table.measure("pointing", SMALL, rows) == 0
    assert table.measure("pointing", LARGE, rows) == 1
    # Of three objects two have a mark that is high enough.
    assert table.measure("found", ALL, rows) == pytest.approx(2 / 3)
    assert table.measure("found", SMALL, rows) == pytest.approx(1 / 2)
    assert table.measure("found", LARGE, rows) == 1


@pytest.mark.parametrize("rows", [[0, 1, 2, 3], [1, 1, 0, 3], [0, 2, 2, 2, 2], [1, 3, 3]])
def test_images_count_as_often_as_they_are_drawn(table, rows):
    """As if the metrics were given each image so often."""
    maps = [draw_maps()[row] for row in rows]
    objects = [OBJECTS[row] for row in rows]
    response = metrics.score_marks(maps, [one.corners for one in objects])
    asked = np.concatenate([one.asked for one in objects])
    numbers = np.array(rows)
    assert table.measure("found", ALL, numbers) == response.sensitivity(1.0, asked)
    shown = [k for k, one in enumerate(objects) if one.asked.any()]
    units = [metrics.scale_to_unit(maps[k]) for k in shown]
    masks = [objects[k].paint() for k in shown]
    boxes = [objects[k].corners for k in shown]
    assert table.measure("pxap", ALL, numbers) == pytest.approx(metrics.pxap(units, masks))
    accuracy = metrics.max_box_acc_v2(units, boxes, STEP)
    assert table.measure("max_box_acc_v2", ALL, numbers) == pytest.approx(accuracy)


def test_without_such_objects_there_is_no_score(table):
    for name in table.measures:
        assert np.isnan(table.measure(name, (100.0, np.inf), np.arange(4)))
        assert np.isnan(table.measure(name, ALL, np.array([2, 2])))


def test_the_curve_passes_what_is_found_at_one_false_mark(table):
    rates, shares = table.response.trace(table.choose(ALL))
    at_one = shares[np.flatnonzero(rates <= 1)[-1]]
    assert table.measure("found", ALL, np.arange(4)) == at_one


def test_marks_at_a_threshold():
    marked = Marked(OBJECTS, np.array([True, False, True, False]), np.array([0, 3, 1, 0]))
    rows = np.arange(4)
    assert marked.measure("found", ALL, rows) == pytest.approx(2 / 3)
    assert marked.measure("found", LARGE, rows) == 0
    assert marked.measure("false_marks", SMALL, rows) == 1
    assert marked.measure("false_marks", ALL, np.array([1, 1, 2])) == pytest.approx(7 / 3)
