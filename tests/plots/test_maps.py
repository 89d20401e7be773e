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
        if image.get_cmap() == plots.COLOR_MAP
    ]


def test_red_is_for_the_class_and_blue_against_it():
    maps = np.zeros((20, 20, 1))
    maps[:, :5], maps[:, 15:] = -1.0, 1.0
    figure = mscam_tf.plot_maps(np.full((20, 20), 0.5), maps, ["bone"], (0.0, 1.0))
    against, nothing, evidence = figure.axes[1].images[1].to_rgba(maps[0, [0, 10, 19], 0])
    assert against[2] > against[0]
    assert evidence[0] > evidence[2]
    assert nothing[3] < 0.01 < against[3] == evidence[3]
    assert read_pixels(figure).std() > 1


def test_long_names_do_not_run_into_each_other():
    names = ["a" * 255, "뼈" * 60, "$x$"]
    figure = mscam_tf.plot_maps(
        np.zeros((8, 8)), np.zeros((8, 8, 3)), names, probabilities=[0.5] * 3
    )
    first, second, third = (axis.get_title() for axis in figure.axes[1:4])
    assert first == f"{'a' * 16}…{'a' * 16}: 0.500"
    assert second == f"{'뼈' * 8}…{'뼈' * 8}: 0.500"
    assert third == r"\$x\$: 0.500"


def test_one_scale_for_all_maps():
    maps = np.random.default_rng(0).normal(size=(8, 8, 3))
    figure = mscam_tf.plot_maps(np.zeros((8, 8, 1)), maps, ["a", "b", "c"])
    limits = {(norm.vmin, norm.vmax) for norm in read_norms(figure)}
    assert limits == {(-np.abs(maps).max(), np.abs(maps).max())}
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
