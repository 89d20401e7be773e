import numpy as np
import pytest

from mscam_tf.simulation.lines import Line, project_line, walk


def test_a_straight_line_by_hand():
    """Radius 2.25 around row 10: at 1 pixel `sqrt(1 - 1 / 5.0625)`, at 2 `sqrt(1 - 4 / 5.0625)`."""
    projection = project_line(Line(((10.0, -5.0), (10.0, 30.0)), 4.0), (21, 21))
    path = np.zeros((21, 21))
    path[projection.window] = projection.path
    expected = [0, np.sqrt(1 - 4 / 5.0625), np.sqrt(1 - 1 / 5.0625), 1]
    assert path[7:11, 10] == pytest.approx(expected, abs=1e-5)
    assert path[13, 10] == 0
    assert path.std(1) == pytest.approx(0, abs=1e-6)


def test_a_thin_line_is_as_much_fainter():
    thin, wide = (
        project_line(Line(((5.0, 0.0), (5.0, 9.0)), diameter), (11, 11)) for diameter in (0.25, 1.0)
    )
    assert np.allclose(thin.path, wide.path / 4)


def test_outside_is_nothing():
    assert project_line(Line(((50.0, 50.0), (60.0, 50.0)), 3.0), (20, 20)) is None


def test_a_walk_has_its_length_and_its_direction():
    points = np.array(walk((4.0, 7.0), np.pi / 2, 12.0, 6, 0.0, np.random.default_rng(0)))
    assert points.shape == (7, 2)
    assert points[3] == pytest.approx([4, 7])
    assert points[-1] - points[0] == pytest.approx([12, 0], abs=1e-6)
