"""Free response: which objects do the marks on maps find, at how many false marks an image?"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import maximum_filter

from mscam_tf.errors import MscamError
from mscam_tf.metrics.checks import check_boxes, check_maps, pair, to_array
from mscam_tf.settings import check_setting

MARK_WINDOW = 15  # Pixels: side of the window in which a mark is the highest place.
_ROUNDING = 1e-9  # Of 0.29 marks an image there are 29 in 100, and not 28.99...
MARK_TOLERANCE = 3.0  # Pixels beside an object at which a mark still lies on it.


def find_peaks(values: np.ndarray, window: int = MARK_WINDOW) -> tuple[np.ndarray, np.ndarray]:
    """Find the local maxima of a map: places that are highest in the window around them.

    A plateau has one peak, its first pixel by rows; a map that is the same everywhere has none.

    Args:
        values: A map, `(H, W)`.
        window: Side of the window in pixels.

    Returns:
        The places `(n, 2)`, rows and columns in pixels, and the values there, the highest first.

    Examples:
        >>> import numpy as np
        >>> find_peaks(np.array([[0.0, 2.0, 0.0, 1.0, 5.0]]), window=3)
        (array([[0, 4],
               [0, 1]]), array([5., 2.]))
    """
    check_setting("window", window, FreeResponse)
    (values,) = check_maps(2, values=values)
    within = min(window, 2 * max(values.shape))  # All of the map; more would only take memory.
    rows, columns = np.nonzero((values == maximum_filter(values, within)) & (values > values.min()))
    order = np.argsort(-values[rows, columns].astype(float), kind="stable")
    kept: list[tuple[int, int]] = []
    for row, column in zip(rows[order], columns[order], strict=True):
        near = (max(abs(row - r), abs(column - c)) <= window // 2 for r, c in kept)
        if not any(near):
            kept.append((int(row), int(column)))
    places = np.array(kept, int).reshape(-1, 2)
    return places, values[places[:, 0], places[:, 1]]


@dataclass(frozen=True)
class FreeResponse:
    """Marks of maps against the objects that are there.

    Attributes:
        objects: For each object the value of the highest mark on it, minus infinity without one.
        false_marks: Values of the marks on no object, the highest first.
        num_images: How many images there were.
    """

    objects: np.ndarray
    false_marks: np.ndarray
    num_images: int

    def find_threshold(self, rate: float = 1.0) -> float:
        """Return the value above which there are at most `rate` false marks an image."""
        check_setting("rate", rate, FreeResponse)
        count = int(rate * self.num_images + _ROUNDING)
        return float(self.false_marks[count]) if count < len(self.false_marks) else -np.inf

    def sensitivity(self, rate: float = 1.0, chosen: np.ndarray | None = None) -> float:
        """Return the share of objects that are found at `rate` false marks an image, in `[0, 1]`.

        Args:
            rate: False marks an image.
            chosen: Which objects count, `(n,)` of booleans, such as those of one size; by default
                all. NaN if there is none.
        """
        check_setting("rate", rate, FreeResponse)
        scores = self.objects if chosen is None else self.objects[chosen]
        return float(np.mean(scores > self.find_threshold(rate))) if len(scores) else float("nan")

    def trace(self, chosen: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return the curve: rates of false marks an image, rising, and the share found at each.

        Args:
            chosen: Which objects count, as for `sensitivity`.
        """
        scores = np.sort(self.objects if chosen is None else self.objects[chosen])
        thresholds = np.append(self.false_marks, -np.inf)
        found = len(scores) - np.searchsorted(scores, thresholds, side="right")
        return np.arange(len(thresholds)) / self.num_images, found / max(len(scores), 1)


def score_marks(
    maps: Iterable[np.ndarray],
    boxes: Iterable[np.ndarray],
    tolerance: float = MARK_TOLERANCE,
    window: int = MARK_WINDOW,
) -> FreeResponse:
    """Score the peaks of maps against boxes.

    Args:
        maps: For each image a map, `(H, W)`.
        boxes: For each image its boxes, `(n, 4)`: `x_min, y_min, x_max, y_max` in pixels, where the
            centre of the first pixel is at 0.5; `(0, 4)` for an image without an object.
        tolerance: Distance in pixels beside a box at which a mark still counts as on it.
        window: Side of the window in which a mark is the highest place, in pixels.

    Returns:
        A `FreeResponse`. An object may bear several marks: none of them is a false one.

    Raises:
        MscamError: If a map is not finite, or boxes have another shape.

    Examples:
        >>> import numpy as np
        >>> values = np.zeros((40, 40))
        >>> values[5, 5], values[30, 30], values[5, 35] = 3, 2, 1
        >>> found = score_marks([values], [np.array([[3, 3, 8, 8], [33, 3, 38, 8]])])
        >>> found.objects, found.false_marks
        (array([3., 1.]), array([2.]))
        >>> found.sensitivity(rate=0), found.sensitivity(rate=1)
        (0.5, 1.0)

    References:
        [Bunch et al., 1978](https://doi.org/10.1117/12.956926): free-response receiver operating
        characteristic.
    """
    objects: list[np.ndarray] = []
    false_marks: list[np.ndarray] = []
    check_setting("tolerance", tolerance)
    for values, image_boxes in pair(maps=maps, boxes=boxes):
        places, scores = find_peaks(values, window)
        hits = hit_boxes(places + 0.5, image_boxes, tolerance)
        objects.append(np.where(hits, scores[:, None], -np.inf).max(0, initial=-np.inf))
        false_marks.append(scores[~hits.any(1)])
    return FreeResponse(
        np.concatenate(objects), np.sort(np.concatenate(false_marks))[::-1], len(objects)
    )


def hit_boxes(
    places: np.ndarray, boxes: np.ndarray, tolerance: float = MARK_TOLERANCE
) -> np.ndarray:
    """Return which places lie in which boxes, or near them.

    Args:
        places: `(m, 2)`: rows and columns in pixels, where the centre of the first pixel is at 0.5.
        boxes: `(n, 4)`: `x_min, y_min, x_max, y_max` in pixels.
        tolerance: Distance in pixels beside a box at which a place still counts as in it.

    Returns:
        Booleans, `(m, n)`.

    Raises:
        MscamError: If a place is not finite, or boxes or the tolerance are not as they should be.

    Examples:
        >>> import numpy as np
        >>> hit_boxes(np.array([[2.5, 9.0], [2.5, 12.5]]), np.array([[0, 0, 7, 4]]))
        array([[ True],
               [False]])
    """
    check_setting("tolerance", tolerance)
    boxes, places = check_boxes(boxes), to_array("places", places)
    if places.ndim != 2 or places.shape[1] != 2 or not np.isfinite(places).all():
        raise MscamError(
            f"`places` must be finite numbers (m, 2). Received: the shape {places.shape}"
        )
    points = places[:, None, ::-1]  # Columns are x.
    beside = np.maximum(boxes[:, :2] - points, points - boxes[:, 2:]).clip(0)
    near: np.ndarray = (beside**2).sum(-1) <= tolerance**2
    return near
