import numpy as np
import pytest

import mscam_tf
from mscam_tf import plots
from tests.plots import read_pixels


def read_norms(figure):
    return [
        image.norm
        for axis in figure.axes
        for image in axis.images
        if image.get_cmap().name == plots.COLOR_MAP
    ]


def test_strong_is_red_and_weak_is_blue():
    maps = np.zeros((20, 20, 1))
    maps[:, 10:] = 1.0
    figure = mscam_tf.plot_maps(np.full((20, 20), 0.5), maps, ["bone"], (0.0, 1.0))
    overlay = figure.axes[1]
    colors = overlay.images[1].to_rgba(maps[..., 0])[..., :3]
    assert colors[0, 0, 2] > colors[0, 0, 0]
    assert colors[0, 19, 0] > colors[0, 19, 2]
    assert read_pixels(figure).std() > 1


def test_one_scale_for_all_maps():
    maps = np.random.default_rng(0).normal(size=(8, 8, 3))
    figure = mscam_tf.plot_maps(np.zeros((8, 8, 1)), maps, ["a", "b", "c"])
    limits = {(norm.vmin, norm.vmax) for norm in read_norms(figure)}
    assert limits == {(maps.min(), maps.max())}
    assert figure.axes[-1].get_ylabel() == "evidence (logits)"


def test_small_maps_cover_the_whole_image():
    figure = mscam_tf.plot_maps(np.zeros((32, 48)), np.zeros((4, 6, 1)), ["a"])
    image, overlay = figure.axes[1].images
    assert image.get_extent() == list(overlay.get_extent()) or tuple(image.get_extent()) == tuple(
        overlay.get_extent()
    )


def test_scales_panel_titles():
    figure = mscam_tf.plot_scales(
        np.zeros((8, 8)),
        np.zeros((8, 8)),
        np.zeros((2, 8, 8)),
        np.array([0.25, 0.75]),
        np.array([-0.5, 1.5]),
        "title",
        (-1, 1),
    )
    titles = [axis.get_title() for axis in figure.axes[:4]]
    assert titles == ["image", "all scales", "scale 1: h = 0.25, -0.50", "scale 2: h = 0.75, +1.50"]


@pytest.mark.parametrize("count", [1, 7])
def test_sheet(count):
    images = [np.random.default_rng(i).random((8, 8)) for i in range(count)]
    figure = plots.plot_sheet(images, images, ["x"] * count, (0, 1))
    assert len(read_norms(figure)) == count
