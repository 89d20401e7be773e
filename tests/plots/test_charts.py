import numpy as np
import pytest

import mscam_tf
from mscam_tf import plots
from mscam_tf.files import write_table
from tests.plots import read_pixels


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


@pytest.mark.parametrize("lost", ["nan", "NA", "inf", "-inf", ""])
def test_the_best_epoch_is_one_with_a_loss(tmp_path, lost):
    path = tmp_path / "history.csv"
    rows = ["0,0.9,0.8", "1,0.7,0.5", f"2,{lost},{lost}", "3,0.6,0.6"]
    path.write_text(
        "\n".join(["epoch,loss,val_loss,accuracy,val_accuracy"] + [r + ",1,1" for r in rows])
    )
    axis = mscam_tf.plot_history(path).axes[0]
    assert axis.lines[-1].get_xdata()[0] == 2
    np.testing.assert_array_equal(axis.lines[0].get_ydata(), [0.9, 0.7, np.nan, 0.6])
    path.write_text(f"epoch,loss,val_loss,accuracy,val_accuracy\n0,{lost},{lost},1,1\n")
    figure = mscam_tf.plot_history(path)
    assert len(figure.axes[0].lines) == 2
    read_pixels(figure)


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


def test_a_logarithmic_histogram_has_plain_numbers_that_do_not_overlap():
    figure = plots.plot_sizes(np.array([1.5, 2, 3, 4, 30]))
    read_pixels(figure)
    axis = figure.axes[0].xaxis
    texts = [text.get_text() for text in [*axis.get_majorticklabels(), *axis.get_minorticklabels()]]
    low, high = figure.axes[0].get_xlim()
    assert [text for text in texts if text and low < float(text) < high] == ["2", "5", "10", "20"]


@pytest.mark.parametrize("classes", [2, 14, 30])
def test_the_legend_of_many_classes_lies_in_the_picture(tmp_path, classes):
    names = [f"relevance_scale{scale}_finding {c}" for scale in (1, 2, 3) for c in range(classes)]
    columns = ["loss", "val_loss", "accuracy", "val_accuracy", *names]
    rows = [{"epoch": epoch, **dict.fromkeys(columns, 0.5)} for epoch in range(2)]
    write_table(tmp_path / "history.csv", rows)
    figure = plots.plot_history(tmp_path / "history.csv")
    read_pixels(figure)  # Which lays it out; a warning is an error.
    whole, shown = figure.bbox, figure.axes[2].get_legend().get_window_extent()
    assert 0 <= shown.x0 < shown.x1 <= whole.x1
    assert 0 <= shown.y0 < shown.y1 <= whole.y1
    assert figure.axes[0].get_window_extent().width > 150
    assert len(figure.axes[2].get_legend().texts) == min(3 * classes, 60)


def test_names_of_classes_keep_their_underscores_in_the_legend(tmp_path):
    columns = ["loss", "val_loss", "accuracy", "val_accuracy", "relevance_scale1_weld_a_$x$"]
    rows = [{"epoch": epoch, **dict.fromkeys(columns, 0.5)} for epoch in range(2)]
    write_table(tmp_path / "history.csv", rows)
    axis = plots.plot_history(tmp_path / "history.csv").axes[2]
    assert axis.get_legend().texts[0].get_text() == r"scale1 weld_a_\$x\$"
