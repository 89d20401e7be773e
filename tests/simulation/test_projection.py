from dataclasses import replace

import numpy as np
import pytest

from mscam_tf.simulation.bones import Bone
from mscam_tf.simulation.projection import project_bone

ROD = Bone(
    kind="rib",
    size_class="scale3",
    center=(30.0, 40.0),
    angle=0.0,
    diameter=10.0,
    length=200.0,
    bend=0.0,
    contrast=0.1,
    cortex=0.5,
    core=1.0,
)


def test_chord_of_a_solid_rod():
    path = project_bone(ROD, (60, 80)).path
    middle = path[:, 40]
    # The mean of sqrt(25 - x^2) / 5 within half a pixel of the axis, and the area of the circle
    # over the diameter: pi 5^2 / 10.
    assert middle.max() == pytest.approx(0.9983, abs=2e-4)
    assert middle.sum() == pytest.approx(7.854, abs=1e-3)


@pytest.mark.parametrize("offset", [0.0, 0.25, 0.5])
def test_a_thin_bone_does_not_fall_between_the_pixels(offset):
    thin = replace(ROD, diameter=0.5, center=(30 + offset, 40.0))
    path = project_bone(thin, (60, 80)).path
    assert path[:, 40].sum() == pytest.approx(np.pi * 0.25**2 / 0.5, abs=1e-3)


def test_a_hollow_rod_is_brightest_beside_its_core():
    projection = project_bone(replace(ROD, core=0.0, cortex=0.8), (60, 80))
    profile = projection.path[:, 40]
    assert profile.max() > 1.5 * profile[30 - projection.window[0].start]
    assert profile.max() <= 1


def test_outline_follows_angle_and_bend():
    upright = project_bone(replace(ROD, angle=np.pi / 2, diameter=4.0), (60, 80))
    columns = np.flatnonzero(upright.outline.any(axis=0)) + upright.window[1].start
    assert columns.tolist() == [38, 39, 40, 41, 42]
    bent = project_bone(replace(ROD, diameter=4.0, bend=0.01), (60, 80))
    mask = np.zeros((60, 80), bool)
    mask[bent.window] = bent.outline
    # v = 0.01 u^2: 9 pixels below the middle at u = 30.
    assert mask[30, 40]
    assert mask[39, 70]
    assert not mask[30, 70]


def test_ends_taper():
    short = replace(ROD, length=40.0)
    projection = project_bone(short, (60, 80))
    widths = projection.outline.sum(axis=0)
    assert widths.max() == 11
    assert np.flatnonzero(widths).size <= 40
    assert widths[np.flatnonzero(widths)[0]] < 9


def test_outside_the_image_there_is_nothing():
    assert project_bone(replace(ROD, center=(500.0, 40.0)), (60, 80)) is None


def test_vertebra_is_an_hourglass():
    vertebra = replace(ROD, kind="vertebra", diameter=30.0, length=24.0, core=0.5)
    projection = project_bone(vertebra, (60, 80))
    assert projection.outline.sum() > 500
    # The walls of the two cones: bright near the border beside the ends, dark between them.
    top, left = (part.start for part in projection.window)
    column = projection.path[:, 40 + 9 - left]
    wall, hollow = column[30 + 9 - top], column[30 - top]
    assert wall > 1.5 * hollow


def test_cut_keeps_a_part():
    projection = project_bone(ROD, (60, 80))
    kept = projection.cut(np.arange(80) < 10)
    assert kept.outline[:, :10].any()
    assert not kept.outline[:, 10:].any()
    assert kept.path[:, 10:].max() == 0
