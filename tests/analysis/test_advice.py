import numpy as np
import pytest

from mscam_tf.analysis.advice import write_advice
from tests.analysis.fakes import make_confusion, make_overlap

HIGH, LOW = [0.5, 0.7, 0.6, 0.55, 0.65], [0.1, 0.3, 0.2, 0.15, 0.25]


@pytest.mark.parametrize(
    ("wrong", "right", "like", "words"),
    [
        (HIGH, LOW, LOW, "claim the same region"),
        (HIGH, LOW, [], "claim the same region"),
        (HIGH, LOW, HIGH, "lie as on any image of b"),
        (LOW, HIGH, HIGH, "further apart than usual"),
        ([0.1, 0.5, 0.3, 0.2, 0.4], [0.2, 0.4, 0.3, 0.1, 0.5], LOW, "no clear difference"),
        (HIGH[:4], LOW, LOW, "too few to judge"),
    ],
)
def test_the_advice_follows_the_figures(wrong, right, like, words):
    text = write_advice(20, [make_confusion(wrong, right, like)])
    assert f"{len(wrong)} of 20 images are wrong" in text
    assert words in text
    assert "## a taken for b" in text


def test_many_pairs_need_more_evidence():
    """One of ten pairs with p = 0.016 is what chance gives."""
    close = make_confusion([0.3, 0.32, 0.34, 0.36, 0.18], [0.1, 0.12, 0.14, 0.16, 0.19])
    assert close.p_value == pytest.approx(4 / 252)
    assert "claim the same region" in write_advice(20, [close])
    nothing = make_confusion([0.1, 0.5, 0.3, 0.2, 0.4], [0.2, 0.4, 0.3, 0.1, 0.5])
    assert "claim the same region" not in write_advice(20, [close] + 9 * [nothing])


def test_what_to_label_next_is_listed():
    text = write_advice(3, [], [make_overlap("x.png", "", np.array([0.5, 0.3, 0.2]))])
    assert "x.png: a or b (margin 0.20)" in text
