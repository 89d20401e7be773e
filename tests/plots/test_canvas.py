import numpy as np
import pytest
from PIL import Image

from mscam_tf import plots

NAMES = [r"a$\foo$b", "$", "$x$", r"a\$b", "필름", "[b]", "{epoch}", "\udcff", "a\x07b", "필" * 85]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_any_name_can_be_drawn(tmp_path, name):
    zeros = np.zeros((8, 8))
    figures = [
        plots.plot_overlay(zeros, zeros, name, (0, 1)),
        plots.plot_relevance(np.full((2, 2), 0.5), [name, "none"]),
        plots.plot_confusion_matrix(np.eye(2), [name, "none"]),
    ]
    for number, figure in enumerate(figures):
        plots.save_figure(figure, tmp_path / f"{number}.png")
        with Image.open(tmp_path / f"{number}.png") as picture:
            assert min(picture.size) > 100
    assert len(list(tmp_path.iterdir())) == 3


def test_a_dollar_is_a_dollar():
    zeros = np.zeros((8, 8))
    figure = plots.plot_overlay(zeros, zeros, "a$b$c", (0, 1))
    assert figure.axes[0].get_title() == r"a\$b\$c"  # As matplotlib wants them.
