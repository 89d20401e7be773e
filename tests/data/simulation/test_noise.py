import numpy as np

from mscam_tf.data.simulation.noise import make_grid, smooth_noise


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
