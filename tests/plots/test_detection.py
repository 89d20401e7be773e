import numpy as np

from mscam_tf.metrics import fit_detection
from mscam_tf.plots import plot_detection, save_figure


def test_each_set_of_objects_has_a_panel_with_its_hits():
    generator = np.random.default_rng(0)
    sizes = generator.uniform(1, 6, 120)
    hits = generator.uniform(size=120) < sizes / 4
    curve = fit_detection(sizes, hits)
    figure = plot_detection(
        {"all": (sizes, hits, curve), "a": (sizes[:9], hits[:9], None)}, "diameter (mm)"
    )
    first, second = (axis for axis in figure.axes if axis.axison)
    assert first.get_title() == f"all: {hits.sum()} of 120 found"
    assert first.get_xlabel() == "diameter (mm)"
    dots = first.collections[0].get_offsets()
    assert ((dots[:, 1] > 0.5) == hits).all()
    line = first.lines[0].get_ydata()
    assert (np.diff(line) > 0).all()
    labels = [text.get_text() for text in first.get_legend().get_texts()]
    assert f"a90 = {curve.find_size():.3g}" in labels
    assert not second.lines


def test_a_size_that_was_not_tried_has_no_line():
    """A quarter of 1 and a half of 2 are found: a90 = 8, and a90/95 is larger still."""
    sizes, hits = np.repeat([1.0, 2.0], 40), np.arange(80) % 40 < np.repeat([10, 20], 40)
    figure = plot_detection({"all": (sizes, hits, fit_detection(sizes, hits))}, "side (px)")
    (axis,) = figure.axes
    labels = [text.get_text() for text in axis.get_legend().get_texts()]
    assert labels == ["a90 beyond 2", "a90/95 beyond 2"]
    assert axis.get_xlim()[1] < 2.2


def test_names_of_columns_and_groups_are_no_formulas_and_fit(tmp_path):
    sizes, hits = np.linspace(1, 2, 9), np.arange(9) > 4
    name = "$\\frac{$ " + "a" * 250
    figure = plot_detection({name: (sizes, hits, None)}, r"$\oslash$ in $mm")
    save_figure(figure, tmp_path / "pod.png")
    axis = figure.axes[0]
    assert axis.get_xlabel() == r"\$\oslash\$ in \$mm"
    assert len(axis.get_title()) < 60
    assert axis.get_title().endswith(": 4 of 9 found")
