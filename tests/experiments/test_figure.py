from types import SimpleNamespace

import numpy as np
import pytest

from mscam_tf.experiments.figure import stack_maps


def test_maps_are_relative_to_the_mean_over_the_classes():
    """The head of the first class stays at zero: its map is what speaks against the other."""
    scales = np.zeros((2, 1, 1, 2))
    scales[:, 0, 0, 1] = [1.0, 3.0]
    explanation = SimpleNamespace(predicted=0, maps=scales.sum(0), scale_maps=scales)
    found = stack_maps(explanation)
    assert found[:, 0, 0].tolist() == [-2.0, -0.5, -1.5]
    assert found[0] == pytest.approx(found[1:].sum(0))
