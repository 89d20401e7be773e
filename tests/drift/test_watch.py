import numpy as np
import pytest

from mscam_tf import TrainConfig
from mscam_tf.drift import (
    FEATURES,
    DriftWatch,
    fit_reference,
    measure_image,
    open_watch,
    write_reference,
)
from mscam_tf.runs import OneLabel, OperatingPoint, Run, write_operating_point

TASK = OneLabel(["bone", "none"])
POINT = OperatingPoint({"bone": 1.0}, decision_threshold=1.0, good="none")


def draw_image(generator, level=0.3):
    return generator.normal(level + generator.normal(0, 0.01), 0.005, (40, 32)).astype(np.float32)


@pytest.fixture(scope="module")
def reference():
    generator = np.random.default_rng(0)
    features = [measure_image(draw_image(generator)) for _ in range(120)]
    return fit_reference(np.array(features), generator.normal((-2, 2), 1, (120, 2)))


def make_rows(watch, count, seed=1, level=0.3, logits=(-2, 2), start=0):
    generator = np.random.default_rng(seed)
    for number in range(start, start + count):
        said = generator.normal(logits, 1).tolist()
        cells = watch.describe(draw_image(generator, level))
        yield {"path": f"{number}.png", "logits": said, **cells}


def feed(watch, rows):
    return [period for period in map(watch.add, rows) if period is not None]


def test_images_like_the_reference(reference):
    watch = DriftWatch(reference, TASK, POINT)
    assert feed(watch, make_rows(watch, 219)) == []
    summary = watch.summarize()
    assert (summary.images, summary.judged, summary.periods) == (219, 4, ())
    assert summary.unlike == sum(summary.features.values()) <= 8


def test_the_period_that_moved_is_told_from_its_first_image_on(reference):
    watch = DriftWatch(reference, TASK, POINT)
    feed(watch, make_rows(watch, 50))
    told = feed(watch, make_rows(watch, 100, seed=2, level=0.32, start=50))
    assert [(one.first, one.last, one.images) for one in told] == [
        ("50.png", "99.png", 50),
        ("50.png", "149.png", 100),
    ]
    assert told[0].features["intensity"] == "above"
    feed(watch, make_rows(watch, 50, seed=3, start=150))
    again = feed(watch, make_rows(watch, 50, seed=4, level=0.25, start=200))
    assert again[0].features["intensity"] == "below"
    assert watch.summarize().periods == (told[1], again[0])
    assert watch.summarize().unlike > 40


def test_scores_of_accepted_images_may_move_and_rejects_do_not_count(reference):
    watch = DriftWatch(reference, TASK, POINT)
    (period,) = feed(watch, make_rows(watch, 50, logits=(-1.3, 1.0)))
    assert period.features == {"score": "above"}
    watch = DriftWatch(reference, TASK, POINT)
    assert feed(watch, make_rows(watch, 50, logits=(9, -9))) == []


def test_without_a_good_class_the_largest_logit_is_watched(reference):
    watch = DriftWatch(reference, TASK, OperatingPoint({"bone": 1.0}))
    (period,) = feed(watch, make_rows(watch, 50, logits=(-2, 5)))
    assert period.features == {"score": "above"}


def test_images_that_cannot_be_read_are_passed_over(reference):
    watch = DriftWatch(reference, TASK, POINT)
    assert watch.add({"path": "a.png", "drift": None}) is None
    assert watch.summarize().images == 0


def test_a_watch_needs_a_reference_and_an_operating_point(reference, tmp_path):
    run = Run(tmp_path, TrainConfig(), TASK.class_names, "")
    assert open_watch(run) is None
    write_reference(run, reference)
    assert open_watch(run) is None
    write_operating_point(run, POINT)
    watch = open_watch(run)
    image = draw_image(np.random.default_rng(5))
    cells = watch.describe(image)
    assert [cells[name] for name in FEATURES] == measure_image(image).tolist()
