"""Pictures that are painted pixel by pixel, many times quicker, for long folders."""

from collections.abc import Sequence
from itertools import islice

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mscam_tf.names import clean
from mscam_tf.plots.colors import color_map, stretch_grey

_LEAST = 256  # Pixels of the shorter side: smaller images are enlarged by a whole number.
_GAP = 4  # Between the image and its map.
_TEXT = 14
_BOXES = 20  # That are drawn: a noisy map has hundreds.
_LETTERS = 7  # Pixels that a letter is wide.
_Corners = tuple[float, float, float, float]


def paint_overlay(
    image: np.ndarray,
    class_map: np.ndarray,
    value_range: tuple[float, float],
    boxes: Sequence[_Corners] = (),
    title: str = "",
) -> np.ndarray:
    """Paint an image in grey, and beside it the same with a map over it and with boxes.

    The image that is wider than high has its map below. Colours are those of
    `mscam_tf.plots.plot_overlay`, on the same scale.

    Args:
        image: `(H, W)`, values in `[0, 1]`; its contrast is stretched for the display only.
        class_map: `(H, W)`, logits.
        value_range: Lowest and highest value to tell apart, in logits.
        boxes: `(x_min, y_min, x_max, y_max)` of each, in pixels of the image; the first twenty are
            drawn, and numbered.
        title: What stands above.

    Returns:
        A picture `(height, width, 3)`, uint8.

    Examples:
        >>> paint_overlay(np.zeros((300, 260)), np.zeros((300, 260)), (-1, 1)).shape
        (320, 524, 3)
    """
    factor = -(-_LEAST // min(image.shape))
    grey, overlay = (_enlarge(one, factor) for one in _mix(image, class_map, value_range))
    axis = 0 if image.shape[1] > image.shape[0] else 1
    painted = Image.fromarray(overlay)
    for number, corners in enumerate(islice(boxes, _BOXES), start=1):
        _draw_box(ImageDraw.Draw(painted), [factor * value for value in corners], str(number))
    gap = [(0, 0)] * 3
    gap[axis] = (0, _GAP)
    both = np.concatenate([np.pad(grey, gap, constant_values=255), np.asarray(painted)], axis)
    return _put_title(both, title)


def _mix(
    image: np.ndarray, class_map: np.ndarray, value_range: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the grey image, and the same under its map, `(H, W, 3)`, uint8."""
    low, high = stretch_grey(image)
    grey = np.clip((image - low) / (high - low), 0, 1).astype(np.float32)[..., None]
    colors = color_map(class_map, value_range)
    opacity = colors[..., 3:]
    mixed = grey * (1 - opacity) + colors[..., :3] * opacity
    return _to_bytes(np.repeat(grey, 3, axis=-1)), _to_bytes(mixed)


def _to_bytes(values: np.ndarray) -> np.ndarray:
    return (values * 255).round().astype(np.uint8)


def _enlarge(picture: np.ndarray, factor: int) -> np.ndarray:
    return picture.repeat(factor, axis=0).repeat(factor, axis=1)


def _draw_box(draw: ImageDraw.ImageDraw, corners: Sequence[float], number: str) -> None:
    """Draw a white box with a black edge around its pixels, and its number at its right side."""
    x_min, y_min, x_max, y_max = (round(value) for value in corners)
    width, height = draw.im.size
    for margin, color in ((2, "black"), (1, "white")):
        upper = (max(x_min - margin, 0), max(y_min - margin, 0))
        lower = (min(x_max - 1 + margin, width - 1), min(y_max - 1 + margin, height - 1))
        draw.rectangle((upper, lower), outline=color)
    x = x_max + 3 if x_max + 3 + _LETTERS * len(number) < width else x_min - 3
    anchor, y = "ls" if x > x_max else "rs", min(max(y_min + _TEXT, _TEXT), height - 2)
    draw.text((x, y), number, "white", _load_font(), anchor, stroke_width=1, stroke_fill="black")


def _put_title(picture: np.ndarray, title: str) -> np.ndarray:
    """Put a line of text above a picture; what does not fit is cut."""
    strip = Image.new("RGB", (picture.shape[1], _TEXT + 6), "white")
    text = clean(title).replace("\n", " ")
    ImageDraw.Draw(strip).text((3, 2), text, "black", _load_font())
    return np.concatenate([np.asarray(strip), picture])


def _load_font() -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(_TEXT)
