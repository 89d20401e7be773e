import numpy as np
import pytest

from mscam_tf.simulation.blobs import Blob, draw_blob, project_blob

BALL = Blob(center=(20.0, 30.0), angle=0.0, diameter=12.0, length=12.0)


def test_chord_of_a_ball():
    projection = project_blob(BALL, (40, 60))
    top, left = (part.start for part in projection.window)
    row = projection.path[20 - top]
    # sqrt(1 - (x / 6.25)^2): the radius is 6, and a quarter of a pixel more.
    assert row[30 - left] == 1
    assert row[33 - left] == pytest.approx(np.sqrt(1 - (3 / 6.25) ** 2), abs=1e-6)
    assert projection.outline.sum() == pytest.approx(np.pi * 6.25**2, rel=0.05)


def test_axes_turn_with_the_angle():
    upright = project_blob(Blob((20.0, 30.0), np.pi / 2, 6.0, 24.0), (40, 60))
    rows, columns = (upright.outline.any(axis).sum() for axis in (1, 0))
    assert rows == 25
    assert columns == 7


def test_rough_outlines_differ_from_smooth_ones():
    rough = Blob((20.0, 30.0), 0.0, 12.0, 12.0, roughness=((0.3, 0.0),))
    outline = project_blob(rough, (40, 60)).outline
    # Twice around: 1.3 times as far along x, 0.7 times along y.
    assert outline.any(axis=0).sum() > outline.any(axis=1).sum() + 4


def test_small_blobs_are_seen_and_distant_ones_are_not():
    assert project_blob(Blob((20.3, 30.2), 0.0, 0.5, 0.5), (40, 60)).outline.sum() >= 1
    assert project_blob(Blob((500.0, 30.0), 0.0, 5.0, 5.0), (40, 60)) is None


def test_drawn_blobs():
    blob = draw_blob((40, 60), 8.0, 2.0, 0.2, np.random.default_rng(0))
    assert (blob.diameter, blob.length, len(blob.roughness)) == (8.0, 16.0, 6)
    assert 0.2 <= blob.flatness <= 1
    assert draw_blob((40, 60), 8.0, 2.0, 0.0, np.random.default_rng(0)).roughness == ()
