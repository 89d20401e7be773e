import numpy as np
import pytest

import mscam_tf
from mscam_tf import plots


def read_pixels(figure):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].astype(float)


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


def test_relevance_bars():
    figure = mscam_tf.plot_relevance(np.array([[0.2, 0.9], [0.8, 0.1]]), ["none", "bone"])
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    assert heights == [0.2, 0.9, 0.8, 0.1]


def test_confusion_matrix_shows_counts_and_shares():
    figure = mscam_tf.plot_confusion_matrix(np.array([[3, 1], [0, 0]]), ["none", "bone"])
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["3\n75%", "1\n25%", "0\n0%", "0\n0%"]


def test_history_of_a_run(finished_run, tmp_path):
    figure = mscam_tf.plot_history(finished_run.folder / "history.csv")
    assert len(figure.axes) == 3
    plots.save_figure(figure, tmp_path / "history.png")
    assert [path.name for path in tmp_path.iterdir()] == ["history.png"]


@pytest.mark.parametrize(("largest", "scale"), [(9, "linear"), (300, "log")])
def test_histogram_of_sizes(largest, scale):
    figure = plots.plot_sizes(np.array([0, 3, 4, 4, 8, largest]), [3.5, 8])
    axis = figure.axes[0]
    assert axis.get_title() == "none: 1, scale1: 1, scale2: 2, scale3: 2"
    assert axis.get_xlabel() == "size (cut at 3.5, 8)"
    assert axis.get_xscale() == scale
    assert [line.get_xdata()[0] for line in axis.lines] == [3.5, 8]
    assert sum(bar.get_height() for bar in axis.patches) == 5
    read_pixels(figure)
    read_pixels(plots.plot_sizes(np.zeros(2)))


@pytest.mark.parametrize("count", [1, 7])
def test_sheet(count):
    images = [np.random.default_rng(i).random((8, 8)) for i in range(count)]
    figure = plots.plot_sheet(images, images, ["x"] * count, (0, 1))
    assert len(read_norms(figure)) == count
