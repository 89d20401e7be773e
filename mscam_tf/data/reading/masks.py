"""Read masks: which pixels belong to which object."""

from pathlib import Path

import numpy as np
from scipy.ndimage import binary_dilation, label

from mscam_tf.data.reading.formats import PNG, PNG_BITS, read_stored
from mscam_tf.data.reading.images import resize_image
from mscam_tf.data.reading.options import ReadOptions
from mscam_tf.data.reading.orientation import find_orientation
from mscam_tf.data.reading.palettes import read_indices
from mscam_tf.data.reading.problems import ImageError, name_problem
from mscam_tf.data.reading.stored import PagesError
from mscam_tf.errors import MscamError

# What masks without numbers have for an object: 1, or white.
_UNNUMBERED = {1, 255, 65535, 2**32 - 1, 2**64 - 1}
_THIN = 0.25  # Share of a pixel that an object must cover.
_FEW = 8  # Pixels that say nothing.


def read_mask(path: str | Path, options: ReadOptions | None = None) -> np.ndarray:
    """Read a mask as whole numbers `(height, width)`, in any format of images.

    Floats are read if they are whole numbers. Nothing is rounded or cut off: fractions, negative
    numbers and NaN are refused, since nobody can know which objects they stand for; so are edges
    that are smoothed, of which each step would be an object.

    Args:
        path: A grey image, also where it is stored as colours that are equal, or a PNG, TIFF or
            BMP file with a palette, of which the indices count.
        options: Its limit of pixels; a mask has no page or window.

    Returns:
        Numbers of at least 0, int32 if they fit; `number_objects` numbers them from 1.

    Raises:
        ImageError: If the file cannot be read, has colours or smoothed edges, or holds other
            numbers.
    """
    options = options or ReadOptions()
    try:
        mask = _to_whole(read_mask_values(Path(path), options.max_pixels))
        _check_steps(mask)
        return mask
    except PagesError as error:
        reason = "expected a mask of one page, but the file holds several; save that of its image"
        raise ImageError([(Path(path), reason)]) from error
    except Exception as error:  # Decoders raise whatever they please on broken files.
        raise name_problem(Path(path), error) from error


def read_mask_of(
    image: Path,
    path: Path,
    options: ReadOptions | None = None,
    size: tuple[int, ...] | None = None,
) -> np.ndarray:
    """Read the mask of an image; one that may lie at another place in it is refused.

    Pixels of both are taken as they are stored. Some programs store a mask as they show its image,
    others as the image is stored: if EXIF or TIFF turns one of the two, only sides that are swapped
    tell which it was.

    Args:
        image: The image file.
        path: The mask.
        options: As for `read_mask`, and the page of the image.
        size: `(height, width)` of the image; if it is unknown, who calls must compare it.

    Raises:
        ImageError: As `read_mask`; or if the mask has another size than the image, or is not turned
            as the image is.
    """
    mask = read_mask(path, options)
    page = None if options is None else options.page
    turns = find_orientation(image, page), find_orientation(path)
    swapped = (turns[0] > 4) != (turns[1] > 4) and mask.shape != mask.shape[::-1]
    if turns[0] != turns[1] and not (swapped and size in (None, mask.shape)):
        reason = (
            "expected a mask that is stored and shown as its image is, but the orientation of EXIF "
            f"is {turns[0]} in {image}, and {turns[1]} in the mask; save both as they are shown, "
            "without an orientation"
        )
        raise ImageError([(path, reason)])
    if size is not None and mask.shape != size:
        reason = f"expected the size {size} of its image, but it has {mask.shape}"
        raise ImageError([(path, reason)])
    return mask


def number_objects(mask: np.ndarray) -> np.ndarray:
    """Number the objects of a mask from 1, without gaps.

    If its values are numbers, each is an object, in their order. If there is only one value, and it
    is 1 or white, each connected region is an object (diagonals connect).

    Args:
        mask: `(height, width)`, whole numbers, of which 0 is no object.

    Returns:
        The numbers, int32: never more than there are pixels, whatever the values are.

    Raises:
        MscamError: If a value is negative, a fraction or not finite.

    Examples:
        >>> number_objects(np.array([[0, 7, 500_000_000]]))
        array([[0, 1, 2]], dtype=int32)
        >>> number_objects(np.array([[255, 0, 255]]))
        array([[1, 0, 2]], dtype=int32)
    """
    mask = _to_whole(mask)
    values = np.unique(mask[mask != 0])
    if len(values) == 1 and _UNNUMBERED.issuperset(values.tolist()):
        return label(mask, structure=np.ones((3, 3)), output=np.int32)[0]
    return np.where(mask == 0, 0, np.searchsorted(values, mask) + 1).astype(np.int32)


def resize_mask(mask: np.ndarray, image_size: tuple[int, int]) -> np.ndarray:
    """Return which pixels belong to objects when an image is resized.

    A thin object keeps the pixels that it runs through: otherwise it would be lost where images
    are shrunk more than twice.

    Args:
        mask: `(height, width)`, nonzero where an object is.
        image_size: `(height, width)` of the resized image.

    Returns:
        Booleans of that size.

    Raises:
        MscamError: If a value is negative, a fraction or not finite.

    Examples:
        >>> resize_mask(np.array([[0, 0, 0, 0, 0, 0, 0, 1]]), (1, 1))
        array([[ True]])
    """
    mask = _to_whole(mask) > 0
    there = resize_image(mask.astype(np.float32), image_size) >= _THIN
    sides = zip(np.nonzero(mask), image_size, mask.shape, strict=True)
    rows, columns = (((places + 0.5) * new / old).astype(int) for places, new, old in sides)
    lost = ~binary_dilation(there, np.ones((3, 3)))[rows, columns]
    there[rows[lost], columns[lost]] = True
    return there


def read_mask_values(path: Path, max_pixels: int) -> np.ndarray:
    """Read a mask as `read_stored` does, but a file with a palette by its indices.

    Raises:
        Exception: As `read_stored`; `ValueError` for a file of channels that differ, whose numbers
            of objects may stand in any of them, and for a compression that has blurred the numbers.
    """
    with path.open("rb") as file:
        head = file.read(26)
    indices = read_indices(path, head, max_pixels)
    if indices is not None:
        return indices
    stored = read_stored(path, None, max_pixels)
    if stored.mixed:
        raise MscamError("expected a mask of one channel, but it has several that differ")
    if stored.lossy and len(np.unique(stored.values[stored.values != 0])) > 1:
        raise MscamError(
            "expected a mask with exact values, but lossy compression has blurred them; save it as "
            "PNG"
        )
    if head.startswith(PNG) and 1 < head[PNG_BITS] < 8:  # Spread over 0 to 255 by the decoder.
        white = 2 ** head[PNG_BITS] - 1
        return _mark_white(stored.values // (255 // white), white)
    if stored.full is None:
        if stored.inverted:
            raise MscamError("expected a mask of whole numbers in which 0 is black")
        return stored.values
    values = sum(stored.full) - stored.values if stored.inverted else stored.values
    if stored.inverted and np.count_nonzero(values) > values.size / 2:
        raise MscamError(  # Some programs write that 0 is white, and leave the pixels.
            "expected a mask in which 0 is black, but its file says that 0 is white, and more than "
            "half of it would be objects; save it as PNG, black where no object is"
        )
    return _mark_white(values, stored.full[1])


def _mark_white(values: np.ndarray, white: float) -> np.ndarray:
    """Return a mask of black and white with 255 for white, which may be 15 or 4095."""
    is_white = values == white
    if white in _UNNUMBERED or not (is_white | (values == 0)).all():
        return values
    return is_white.astype(np.uint8) * np.uint8(255)


def _check_steps(mask: np.ndarray) -> None:
    """Refuse a mask whose values rise in steps at edges, as smoothing makes them."""
    values = np.unique(mask)
    if np.count_nonzero(values) < 3:
        return
    counts = _count_alike(mask, values[-1]), _count_steps(mask)
    if any(smooth > max(sharp, _FEW) for smooth, sharp in counts):
        raise MscamError(
            "expected a mask with one value in each object, but its edges are smoothed: they have "
            f"{len(values) - 1} values in steps up to {values[-1]}; save it without smoothing, as "
            "0 and 255"
        )


def _count_alike(mask: np.ndarray, highest: int) -> tuple[int, int]:
    """Count neighbours in objects, but in the highest, that have two numbers, and that have one."""
    differ = agree = 0
    for one, other in ((mask[1:], mask[:-1]), (mask[:, 1:], mask[:, :-1])):
        inside = (one > 0) & (other > 0) & ((one < highest) | (other < highest))
        differ += int(np.count_nonzero(inside & (one != other)))
        agree += int(np.count_nonzero(inside & (one == other)))
    return differ, agree


def _count_steps(mask: np.ndarray) -> tuple[int, int]:
    """Count pixels that lie between their neighbours in a line, and edges without such.

    Edges of objects have hardly any, also where objects touch.
    """
    steps, sharp = np.zeros(mask.shape, bool), 0
    for lines, marks in ((mask, steps), (mask.T, steps.T)):
        rises, falls = lines[1:] > lines[:-1], lines[1:] < lines[:-1]
        marks[1:-1] |= (rises[1:] & rises[:-1]) | (falls[1:] & falls[:-1])
    for lines, marks in ((mask, steps), (mask.T, steps.T)):
        sharp += int(np.count_nonzero((lines[1:] != lines[:-1]) & ~marks[1:] & ~marks[:-1]))
    return int(np.count_nonzero(steps)), sharp


def _to_whole(values: np.ndarray) -> np.ndarray:
    """Return whole numbers of at least 0, as int32 if they fit."""
    if values.dtype.kind not in "buif":
        raise MscamError(f"expected a mask of whole numbers, but its values are {values.dtype}")
    wrong = values[~(np.isfinite(values) & (values >= 0) & (values == np.trunc(values)))]
    if wrong.size:
        raise MscamError(
            "expected a mask of whole numbers of at least 0, each for an object, but "
            f"{wrong.size} of its pixels have others, such as {wrong[0]!s}"
        )
    if float(values.max(initial=0)) > np.iinfo(np.int32).max:
        # Wider floats are exact only up to 2**53; what is beyond is a number all the same.
        if values.dtype.kind in "ui":
            return values
        _, numbers = np.unique(values, return_inverse=True)
        # From 2, because 1 would mean an object that has no number.
        return np.where(values > 0, numbers.reshape(values.shape) + 2, 0)
    return values.astype(np.int32)
