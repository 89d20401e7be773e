import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from mscam_tf import find_regions, plots

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


def test_regions_are_outlined_where_they_are():
    values = np.zeros((40, 60))
    values[5:25, 10:30], values[30:33, 54:58], values[30:33, 2:5] = 3, 2, 1
    axis = plots.plot_overlay(values, values, "", (0, 3), find_regions(values, 1)).axes[0]
    assert (axis.get_xlim(), axis.get_ylim()) == ((-0.5, 59.5), (39.5, -0.5))
    paths = [path for drawn in axis.collections for path in drawn.get_paths()]
    corners = {(*path.get_extents().min, *path.get_extents().max) for path in paths}
    # The centre of the first pixel is at 0: the edge of pixel 10 lies at 9.5.
    assert corners == {(9.5, 4.5, 29.5, 24.5), (53.5, 29.5, 57.5, 32.5), (1.5, 29.5, 4.5, 32.5)}
    large, right, left = axis.texts
    assert large.get_position() == (10, 5)
    assert (right.get_text(), right.get_ha()) == ("2", "right")
    assert (left.get_text(), left.get_ha()) == ("3", "left")


def test_a_noisy_map_has_twenty_outlines():
    values = np.diag(np.arange(90) % 3 == 0).astype(float)
    regions = find_regions(values, 1)
    assert len(regions) == 30
    axis = plots.plot_overlay(values, values, "", (0, 1), regions).axes[0]
    assert [text.get_text() for text in axis.texts] == [str(n) for n in range(1, 21)]


FIGURES = """
import numpy as np
from matplotlib import font_manager
from mscam_tf import plots

font_manager.get_font_names = lambda: []  # As where no other font is installed.
for number, name in enumerate({names}):
    figure = plots.plot_relevance(np.full((2, 2), 0.5), [name, "none"])
    plots.save_figure(figure, f"{{number}}.png")
"""


@pytest.mark.parametrize(
    ("names", "first"), [(["bone", "뼈", "균열"], "뼈"), (["é…", "骨"], "骨"), (["é", "ß"], None)]
)
def test_letters_that_no_font_has_are_said_once(tmp_path, names, first):
    code = FIGURES.format(names=names)
    command = [sys.executable, "-X", "utf8", "-c", code]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    errors = result.stderr.decode()
    assert errors.count("install a font with these letters") == (first is not None)
    assert first is None or f"Received: {first!r}" in errors
