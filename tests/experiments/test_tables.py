import numpy as np
import pytest

from mscam_tf.experiments import pair_interval
from mscam_tf.experiments.tables import describe_differences, describe_models, to_markdown

COLUMN = "test, own classes"
FOUND = {
    ("none", "a"): {COLUMN: np.array([0.75, 0.75])},
    ("none", "b"): {COLUMN: np.array([0.75, 0.75])},
    ("none", "c"): {COLUMN: np.array([1.0, 0.75])},
}


def test_means_over_the_seeds():
    rows = describe_models(FOUND)
    assert [row["seeds"] for row in rows] == ["2"] * 3
    assert rows[2][COLUMN] == "0.875 ± 0.177"
    assert rows[2]["paper"] == "0.867"
    assert rows[2]["fresh, own classes"] == ""


def test_differences_are_paired():
    rows = describe_differences(FOUND)
    assert [row["difference"] for row in rows] == ["(b) - (a)", "(c) - (a)", "(c) - (b)"]
    # 12.706, the quantile for two pairs, times 0.177, the deviation, times sqrt(1 / 2 + 2 / 7).
    assert rows[2][COLUMN] == "+0.125 ± 0.177 [-1.866, +2.116]"


def test_before_a_seed_counts_the_tables_are_empty():
    assert describe_models({}) == []
    nothing = {("none", name): {} for name in "abc"}
    assert [row["seeds"] for row in describe_models(nothing)] == ["0"] * 3
    assert describe_differences(nothing)[0][COLUMN] == ""


def test_fresh_images_need_no_correction():
    low, high = pair_interval(np.array([0.0, 0.25]))
    assert high - low == pytest.approx(2 * 12.7062 * 0.125, rel=1e-4)


def test_interval_of_a_single_pair():
    assert np.isnan(pair_interval(np.array([0.1]))).all()


def test_markdown():
    assert to_markdown([{"a": "1", "b": "x"}]) == "| a | b |\n| --- | --- |\n| 1 | x |\n"
    assert to_markdown([]) == ""
    assert to_markdown([{"a": "x|y"}]).endswith("\n| x\\|y |\n")
