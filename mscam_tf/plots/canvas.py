"""What all pictures of maps share: panels, grey images, overlays on one scale of colours."""

import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import font_manager, get_cachedir
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patheffects import withStroke
from matplotlib.text import Text

from mscam_tf.files import write_whole
from mscam_tf.names import clean
from mscam_tf.plots.colors import STOPS, find_limit, stretch_grey

if TYPE_CHECKING:
    from mscam_tf.localization import Region

COLOR_MAP = LinearSegmentedColormap.from_list("evidence", list(STOPS))
SIDE = 2.6  # Inches of one panel.
_UNIT = "evidence (logits)"
_OUTLINES = 20  # Regions that are drawn: a noisy map has hundreds.
_LARGE = 0.12  # Of the width of the image: its number fits into a region.
_LABEL = 32  # Characters beside an axis.
_LOGGER = logging.getLogger(__name__)
_BOXED: list[str] = []  # The text of which it was said that it has boxes.
_WIDE_FONTS = (  # With letters of East Asia; one of them is on most systems.
    *("Noto Sans CJK KR", "Noto Sans KR", "NanumGothic", "Malgun Gothic", "Apple SD Gothic Neo"),
    *("UnDotum", "Baekmuk Dotum", "Noto Sans CJK JP", "Noto Sans CJK SC", "Microsoft YaHei"),
    *("WenQuanYi Zen Hei", "Droid Sans Fallback", "Arial Unicode MS", "Unifont"),
)


def make_row(panels: int) -> tuple[Figure, np.ndarray]:
    """Make a figure with panels side by side, which show no axes."""
    figure = Figure(figsize=(SIDE * panels + 0.9, SIDE + 0.5), layout="constrained")
    axes = figure.subplots(1, panels, squeeze=False)[0]
    for axis in axes:
        axis.set_axis_off()
    return figure, axes


def normalize(value_range: tuple[float, float]) -> Normalize:
    """Make the colour scale of a range of values: zero is in its middle."""
    limit = find_limit(value_range)
    return Normalize(-limit, limit, clip=True)


def show_image(axis: Axes, image: np.ndarray, title: str) -> None:
    """Show an image in grey; its contrast is stretched for the display only."""
    grey = np.asarray(image).reshape(image.shape[:2])
    low, high = stretch_grey(grey)
    axis.imshow(grey, cmap="gray", vmin=low, vmax=high)
    axis.set_title(escape(title), fontsize=8)


def show_overlay(
    axis: Axes, image: np.ndarray, class_map: np.ndarray, norm: Normalize, title: str
) -> None:
    """Show a map over its image."""
    show_image(axis, image, title)
    axis.imshow(
        class_map,
        cmap=COLOR_MAP,
        norm=norm,
        extent=(-0.5, image.shape[1] - 0.5, image.shape[0] - 0.5, -0.5),
    )


def outline_regions(axis: Axes, regions: "Sequence[Region]") -> None:
    """Draw the outline of each region, and its number: of the first twenty."""
    axis.autoscale(enable=False)
    for number, region in enumerate(regions[:_OUTLINES], start=1):
        box, mask = region.box, np.pad(region.mask, 1).astype(float)
        columns = np.arange(mask.shape[1]) + box.x_min - 1
        rows = np.arange(mask.shape[0]) + box.y_min - 1
        for color, width in (("black", 2.2), ("white", 1.0)):
            axis.contour(columns, rows, mask, levels=[0.5], colors=color, linewidths=width)
        x, y, side = _find_place(region, axis.get_xlim()[1])
        halo = [withStroke(linewidth=1.8, foreground="black")]
        style: dict[str, Any] = {"color": "white", "fontsize": 7, "va": "center", "clip_on": True}
        axis.text(x - 0.5, y - 0.5, f"{number}", ha=side, path_effects=halo, **style)


def _find_place(region: "Region", width: float) -> tuple[float, float, str]:
    """Return where a region's number stands: at its peak, or beside a small one."""
    box = region.box
    if max(box.size) > _LARGE * width:
        return (*region.peak, "center")
    if box.x_max < (1 - _LARGE) * width:
        return box.x_max + 1, region.peak[1], "left"
    return box.x_min - 1, region.peak[1], "right"


def add_color_bar(figure: Figure, axes: Any, norm: Normalize) -> None:
    """Add the bar that says how many logits a colour is."""
    mappable = ScalarMappable(norm=norm, cmap=COLOR_MAP)
    figure.colorbar(mappable, ax=axes, label=_UNIT, fraction=0.05, extend="both", shrink=0.85)


def fit_label(text: str) -> str:
    """Do as `escape` with what `cut_label` leaves of a name."""
    return escape(cut_label(text))


def cut_label(text: str) -> str:
    """Cut the middle of a name that would leave no room for the picture, or run into another.

    Examples:
        >>> cut_label("bone"), len(cut_label("a" * 255))
        ('bone', 33)
    """
    half = _LABEL // 2 if text.isascii() else _LABEL // 4  # Letters of East Asia are wide.
    return f"{text[:half]}…{text[-half:]}" if len(text) > 2 * half else text


def escape(text: str) -> str:
    r"""Keep matplotlib from taking a name for a formula; show what no font has as an escape.

    Examples:
        >>> print(escape("a$\\foo$b \udcff"))
        a\$\foo\$b \udcff
    """
    return clean(text).replace("$", r"\$")


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write a figure as a PNG file; an error leaves no half-written file.

    Letters that matplotlib's own font lacks, such as Hangul, are shown in a font of the system, if
    it has one for them. Otherwise they are boxes, and a warning says so: once, in all figures.
    """
    _choose_fonts(figure)
    with write_whole(path) as partial, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")  # `_choose_fonts` says it.
        figure.savefig(partial, format="png", dpi=110)


def _choose_fonts(figure: Figure) -> None:
    texts: list[Any] = figure.findobj(Text)
    if all(text.get_text().isascii() for text in texts):
        return
    there = set(font_manager.get_font_names())
    more = [name for name in _WIDE_FONTS if name in there]
    for text in texts:
        text.set_fontfamily([*text.get_fontfamily(), *more])
    boxed = [text.get_text() for text in texts if _lacks_letters(text)]
    if boxed and not _BOXED:
        _BOXED.append(boxed[0])
        _LOGGER.warning(
            "Pictures show boxes for letters that no font here has: install a font with these "
            "letters (for Hangul NanumGothic or Noto Sans CJK KR), and remove the folder %s, where "
            "matplotlib keeps its list of fonts. Received: %r",
            get_cachedir(),
            boxed[0],
        )


def _lacks_letters(text: Text) -> bool:
    """Whether a text has letters that none of its fonts has."""
    letters = [ord(letter) for letter in text.get_text() if not letter.isspace()]
    names: list[Any] = [*text.get_fontfamily()]
    files = [font_manager.findfont(FontProperties(family=[name])) for name in names]
    fonts = [font_manager.get_font(file) for file in files]
    return not all(any(font.get_char_index(letter) for font in fonts) for letter in letters)
