import numpy as np

from mscam_tf import plots
from tests.plots import read_pixels

CURVES = {
    "sum": (np.array([0.0, 0.5, 8.0]), np.array([0.2, 0.6, 0.9])),
    "middle": (np.array([0.0]), np.array([0.1])),
}


def test_a_panel_for_each_range_of_sizes():
    figure = plots.plot_free_response({"all": CURVES, "< 12.5": CURVES})
    assert [axis.get_title() for axis in figure.axes] == ["all sizes", "< 12.5 px"]
    lines = {line.get_label(): line for line in figure.axes[1].lines}
    np.testing.assert_allclose(lines["sum"].get_ydata(), [0.2, 0.6, 0.9, 0.9])
    # A map with few marks finds nothing more with more of them.
    np.testing.assert_allclose(lines["middle"].get_xdata(), [0, 5])
    np.testing.assert_allclose(lines["middle"].get_ydata(), [0.1, 0.1])
    assert lines["middle"].get_color() == "grey"
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["sum", "middle"]
    read_pixels(figure)


def test_one_range_is_one_panel():
    figure = plots.plot_free_response({"all": CURVES})
    assert len(figure.axes) == 1
