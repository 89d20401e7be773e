import numpy as np

from mscam_tf.simulation.fields import bent_distance, log_uniform, make_grid, smooth_noise


def test_smooth_noise_has_unit_variance_and_the_size_asked_for():
    fields = [smooth_noise((90, 70), 6, np.random.default_rng(seed)) for seed in range(30)]
    assert fields[0].shape == (90, 70)
    assert fields[0].dtype == np.float32
    assert abs(np.mean(fields)) < 0.05
    assert abs(np.std(fields) - 1) < 0.05


def test_larger_cells_are_smoother():
    rough, smooth = (
        np.abs(np.diff(smooth_noise((64, 64), cell, np.random.default_rng(0)), axis=1)).mean()
        for cell in (4, 16)
    )
    assert smooth < rough / 2


def test_cells_larger_than_the_image():
    assert np.isfinite(smooth_noise((8, 8), 100, np.random.default_rng(0))).all()


def test_grid():
    rows, columns = make_grid((2, 3))
    assert rows.tolist() == [[0], [1]]
    assert columns.tolist() == [[0, 1, 2]]


def test_a_bent_line_stays_near_the_straight_one():
    straight = bent_distance((64, 64), 0.25, np.random.default_rng(1), most=0)
    bent = bent_distance((64, 64), 0.25, np.random.default_rng(1), most=1.0)
    # A distance grows by one for each pixel across the line; 1 mm of bend is 4 pixels.
    assert np.allclose(np.hypot(*np.gradient(straight)), 1, atol=1e-3)
    assert 0 < np.abs(bent - straight).max() < 4 * 4


def test_log_uniform():
    generator = np.random.default_rng(0)
    drawn = [log_uniform(0.01, 1, generator) for _ in range(1000)]
    assert 0.01 <= min(drawn) <= max(drawn) <= 1
    assert abs(np.mean(np.log10(drawn)) + 1) < 0.1
