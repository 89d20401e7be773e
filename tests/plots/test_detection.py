import numpy as np

from mscam_tf.metrics import fit_detection
from mscam_tf.plots import plot_detection


def test_each_set_of_objects_has_a_panel_with_its_hits():
    generator = np.random.default_rng(0)
    sizes = generator.uniform(1, 6, 120)
    hits = generator.uniform(size=120) < sizes / 6
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
