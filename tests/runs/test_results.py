from pathlib import Path

import numpy as np
import pytest

from mscam_tf.data.reading import ImageError, Problem
from mscam_tf.runs import Explanation, keep_readable

BAD = Problem(Path("bad.png"), "it is empty")


def explain(name, image):
    values = np.zeros((1, 1))
    return Explanation(Path(name), image, values[0], values[0], *[values] * 4, ["bone"])


def test_constant_images_are_named_once_and_kept(caplog):
    ramp = np.linspace(0, 1, 12).reshape(3, 4)
    images = {f"{i}.png": np.full((3, 4), i / 8) for i in range(7)} | {"ramp.png": ramp}
    pairs = [(name, explain(name, image)) for name, image in images.items()]
    problems = []
    kept = keep_readable([*pairs, ("bad", BAD)], problems, skip_bad=True)
    assert [name for name, _ in kept] == list(images)
    assert problems == [BAD]
    (message,) = caplog.messages
    assert "7 images, 0.png, 1.png, 2.png, 3.png, 4.png, …" in message


def test_constant_images_are_named_before_the_bad_ones_and_others_not(caplog):
    with pytest.raises(ImageError):
        list(keep_readable([(0, explain("a.png", np.ones((2, 2)))), (1, BAD)], []))
    assert "1 images, a.png" in caplog.text
    caplog.clear()
    list(keep_readable([(0, explain("a.png", np.eye(2)))], []))
    assert not caplog.messages
