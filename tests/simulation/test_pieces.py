import numpy as np
import pytest

from mscam_tf.simulation import Piece, SimulationConfig, list_pieces, simulate_piece
from mscam_tf.simulation.pieces import trace_piece

BALL, ROD = Piece("steel", "ball", 1.2, 1.2), Piece("bone", "rod", 0.6, 4.0)
CONFIG = SimulationConfig(image_size=(64, 80), pixel_pitch=0.1, hard_negatives=0.0)


@pytest.mark.parametrize("pitch", [0.05, 0.2, 1.5])
@pytest.mark.parametrize(
    ("piece", "volume"), [(BALL, np.pi / 6 * 1.2**3), (ROD, np.pi / 4 * 0.6**2 * 4.0)]
)
def test_the_volume_is_that_of_the_body_at_any_pitch(piece, volume, pitch):
    _, way = trace_piece(piece, (100.3, 99.1), 0.7, pitch, (200, 200))
    assert way.sum() * 10 * pitch**2 == pytest.approx(volume, rel=0.06)


def test_the_thickest_place_is_as_thick_as_the_piece():
    for piece in (BALL, ROD):
        window, way = trace_piece(piece, (40.0, 50.0), 0.0, 0.1, (100, 100))
        assert way.max() * 10 == pytest.approx(piece.diameter, rel=0.02)
        row, column = np.argwhere(way == way.max()).mean(0)
        assert window[0].start + row == pytest.approx(40, abs=0.6)
        assert window[1].start + column == pytest.approx(50, abs=0.6)


def test_a_rod_lies_along_its_angle():
    shapes = []
    for angle in (0.0, np.pi / 2):
        _, way = trace_piece(ROD, (50.0, 50.0), angle, 0.1, (100, 100))
        rows, columns = np.nonzero(way)
        shapes.append((np.ptp(rows) + 1, np.ptp(columns) + 1))
    assert shapes == [(7, 41), (41, 7)]


def test_beside_the_image_there_is_nothing():
    _, way = trace_piece(BALL, (-50.0, 20.0), 0.0, 0.1, (40, 40))
    assert way.size == 0


@pytest.mark.parametrize("piece", [BALL, ROD])
def test_a_piece_is_bright_within_its_box(piece):
    found = simulate_piece(piece, CONFIG, np.random.default_rng(3))
    x_min, y_min, x_max, y_max = found.box
    assert found.image.shape == (64, 80)
    inside = found.image[y_min:y_max, x_min:x_max].astype(float).max()
    assert inside > np.median(found.image) + 500
    assert found.outline.sum() <= (x_max - x_min) * (y_max - y_min)
    assert found.contrast_to_noise == pytest.approx(found.contrast / found.noise)


def test_contrast_is_that_of_beer_and_lambert():
    """Thin bone behind muscle: the mean depth is nearly that of its mean thickness."""
    thin = Piece("bone", "ball", 0.3, 0.3)
    found = simulate_piece(thin, CONFIG, np.random.default_rng(1))
    _, way = trace_piece(thin, (30.0, 30.0), 0.0, 0.1, (64, 80))
    mean = way.sum() / found.outline.sum()
    attenuation = found.contrast / mean  # Between those of bone at 50 and 30 keV, in 1 / cm.
    assert 0.814 < attenuation < 2.556


def test_without_a_piece_the_image_is_good_and_the_same_seed_gives_the_same():
    found = simulate_piece(None, CONFIG, np.random.default_rng(2))
    again = simulate_piece(None, CONFIG, np.random.default_rng(2))
    assert found.piece is None
    np.testing.assert_array_equal(found.image, again.image)


def test_the_cards_have_each_piece_once():
    pieces = list_pieces()
    assert len(set(pieces)) == len(pieces)
    assert {piece.material for piece in pieces} == {"steel", "glass", "stone", "bone"}
    steel = [p.diameter for p in pieces if (p.material, p.shape) == ("steel", "ball")]
    assert (min(steel), max(steel)) == (0.3, 5.0)
    assert all(p.length == p.diameter for p in pieces if p.shape == "ball")
    assert all(p.length >= 2 and p.length >= 10 * p.diameter for p in pieces if p.shape == "rod")
