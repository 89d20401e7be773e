"""Made-up overlaps and confusions."""

from pathlib import Path

import numpy as np

from mscam_tf.analysis import Confusion, ImageOverlap
from mscam_tf.analysis.confusions import OVERLAP_MEASURES

NAMES = ["a", "b", "c"]


def make_overlap(name, label, probabilities, overlap=0.0):
    matrix = np.eye(3)
    matrix[0, 1] = matrix[1, 0] = overlap
    overlaps = dict.fromkeys(OVERLAP_MEASURES, matrix)
    return ImageOverlap(Path(name), label, np.array(probabilities), NAMES, overlaps)


def make_confusion(wrong, right, like=()):
    images = [make_overlap(f"w{i}", "a", [0.2, 0.8, 0], value) for i, value in enumerate(wrong)]
    others = [make_overlap(f"r{i}", "a", [0.8, 0.2, 0], value) for i, value in enumerate(right)]
    alike = [make_overlap(f"l{i}", "b", [0.2, 0.8, 0], value) for i, value in enumerate(like)]
    return Confusion("a", "b", images, others, alike, 10, np.zeros((2, 2, 4)), [])
