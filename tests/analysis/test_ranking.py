from mscam_tf.analysis import rank_unlabelled
from tests.analysis.fakes import make_overlap


def test_what_to_label_next():
    certain = make_overlap("certain", "", [0.9, 0.1, 0], 0.9)
    close = make_overlap("close", "", [0.5, 0.45, 0.05], 0.1)
    both = make_overlap("both", "", [0.5, 0.46, 0.04], 0.8)
    ranked = rank_unlabelled([certain, close, both])
    assert ranked[0] is both
    assert rank_unlabelled([]) == []


def test_a_pair_that_always_overlaps_does_not_come_first():
    """Overlaps are ranked among those of the same two classes, whichever of the two is first."""
    usual = [make_overlap(f"ab{i}", "", [0.5, 0.4, 0.1], 0.9 + i / 100) for i in range(3)]
    turned = make_overlap("ba", "", [0.4, 0.5, 0.1], 0.95)
    other = make_overlap("ac", "", [0.45, 0.15, 0.4], 0.0)
    ranked = rank_unlabelled([*usual, turned, other])
    assert ranked[0] is other
    assert ranked[1] is turned
