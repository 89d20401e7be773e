import numpy as np
import pytest

from mscam_tf.settings import Choice, Flag, Names, Number, Range, Size, Views

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("rule", "right", "wrong", "words"),
    [
        (Choice(("a", "b")), ["a"], ["c", None, 1, ("a",)], "one of 'a', 'b'"),
        (
            Number(0, 1, below=True),
            [0, 0.5, np.float32(0.25)],
            [1, -0.1, NAN, INF, "0", None, True, 10**400, 0.5j],
            "a number of at least 0 and below 1",
        ),
        (
            Number(0, above=True),
            [1e-9, 7],
            [0, -1, INF, NAN, [1]],
            "a number above 0",
        ),
        (
            Number(8, 16, whole=True),
            [8, 16, np.int64(12)],
            [7, 17, 8.5, "8", 10**400, 9.0],
            "a whole number of at least 8 and at most 16",
        ),
        (Number(), [-1e30, 0], [NAN, -INF, -1e300], "a number"),
        (
            Size(32, step=32),
            [(32, 64), [64, 32]],
            [(32,), 64, (33, 64), (32, 64.0), (0, 32), "ab", None],
            "(height, width), each a whole number of at least 32, and a multiple of 32",
        ),
        (
            Range(Number()),
            [(-1, 2.5)],
            [(1, 1), (2, 1), (0, NAN), (-INF, 0), (-1e308, 1e308), (0, 10**400)],
            "(low, high), each a number, with low < high",
        ),
        (
            Range(Number(0, above=True), equal=True),
            [(1, 1)],
            [(0, 1), (2, 1)],
            "(low, high), each a number above 0, with low <= high",
        ),
        (Flag(), [True, False, np.bool_(True)], ["no", None, 2, [True]], "True or False"),
        (
            Views(),
            [("global",), ["global", 12, 0.5]],
            ["global", (), ("local",), (0,), (0.1,), (-1.0, "global"), (NAN,), (None,)],
            "a tuple of views",
        ),
        (Names(), [("relu",), ["a", "b"]], ["relu", (), ("",), (1,), ("a", "a")], "a tuple of"),
    ],
)
def test_what_each_rule_accepts_and_says(rule, right, wrong, words):
    assert [value for value in right if not rule.accepts(value)] == []
    assert [value for value in wrong if rule.accepts(value)] == []
    assert str(rule).startswith(words)
