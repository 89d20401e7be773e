import tracemalloc

import numpy as np
import pytest
from PIL import Image

from mscam_tf import ImageError, MscamError, fit_window


def save(path, values):
    Image.fromarray(values).save(path)
    return path


def test_the_fitted_window_by_hand(tmp_path):
    paths = [
        save(tmp_path / "a.png", np.arange(0, 51, dtype=np.uint16).reshape(3, 17)),
        save(tmp_path / "b.png", np.arange(51, 101, dtype=np.uint16).reshape(5, 10)),
        tmp_path / "missing.png",
    ]
    assert fit_window(paths, (10, 95)) == (10, 95)  # Of the values 0 to 100.
    np.save(tmp_path / "c.npy", np.array([[-3.0, np.nan], [5, 1]]))
    assert fit_window([tmp_path / "c.npy"], (0, 100)) == (-3, 5)


def test_no_window_to_fit(tmp_path):
    path = save(tmp_path / "a.png", np.full((4, 4), 7, np.uint8))
    with pytest.raises(ValueError, match=r"must differ. Received: 7.0 and 7.0"):
        fit_window([path], (1, 99))
    with pytest.raises(ImageError, match="no such file"):
        fit_window([tmp_path / "missing.png"], (1, 99))
    with pytest.raises(MscamError, match="is fitted to images"):
        fit_window([], (1, 99))


def test_where_none_of_the_sampled_images_can_be_read_all_are_tried(tmp_path):
    sampled = set(np.linspace(0, 599, 500).round().astype(int).tolist())
    paths = [tmp_path / f"{number}.png" for number in range(600)]  # Of which 500 are taken.
    with pytest.raises(ImageError, match="600 image files"):
        fit_window(paths, (0, 100))
    lone = min(set(range(600)) - sampled)
    save(paths[lone], np.arange(8, dtype=np.uint8).reshape(2, 4))
    assert fit_window(paths, (0, 100)) == (0, 7)


def test_large_images_are_sampled_evenly(tmp_path):
    ramp = np.arange(300 * 400, dtype=np.float32).reshape(300, 400)
    np.save(tmp_path / "a.npy", ramp)
    tracemalloc.start()
    low, high = fit_window([tmp_path / "a.npy"] * 50, (0, 50))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert low == 0
    assert high == pytest.approx(ramp.max() / 2, rel=1e-3)
    assert peak < 50 * 20_000 * 8 * 4
