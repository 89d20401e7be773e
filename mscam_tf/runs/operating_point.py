"""The operating point of a run: when an image is rejected, and where its maps are marked."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np

from mscam_tf.errors import MscamError, RunError
from mscam_tf.metrics import sharpen_maps
from mscam_tf.runs.results import Explanation
from mscam_tf.runs.run import Run
from mscam_tf.settings import is_finite

_RECORD, _FORMAT = "operating_point", 1
SUM, SHARP = "sum", "sharp"


@dataclass(frozen=True)
class OperatingPoint:
    """The thresholds at which a run is used.

    An image is rejected where its reject score (`score_rejects`) is at least the decision
    threshold. A place is marked as a class where the map of the class is at least its threshold.

    Attributes:
        decision_threshold: In logits; 0 are even odds.
        map_thresholds: For each class, in the unit of the maps: logits, or of sharp maps the
            strength of a spot. The class of good images has none: nothing is marked in its map.
        scale: Which maps are marked: `"sum"`; `"sharp"`, the sum sharpened by the spots of the
            image (`mscam_tf.metrics.sharpen_maps`), its odds those against the good class; or
            those of one scale, `h_b M_b`, of which 1 is the finest.
        minimum_area: Pixels that a region must have.
        good: The class of good images; `None` where a run knows none, or several findings, of which
            a good image has none.
        record: How the thresholds were chosen, and by which images (`describe_samples`): counts,
            wanted rates, intervals.

    Raises:
        MscamError: If a value is not of its kind or out of range.

    Examples:
        >>> point = OperatingPoint(map_thresholds={"bone": 1.5}, good="none")
        >>> point.decision_threshold, point.scale
        (0.0, 'sum')
    """

    map_thresholds: dict[str, float]
    decision_threshold: float = 0.0
    scale: int | str = SUM
    minimum_area: float = 0.0
    good: str | None = None
    record: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        thresholds = self.map_thresholds
        is_index = type(self.scale) is int and self.scale >= 1
        _check("decision_threshold", "a number", is_finite(self.decision_threshold), self)
        numbers = isinstance(thresholds, dict) and all(map(is_finite, thresholds.values()))
        _check("map_thresholds", "a number for each class", numbers, self)
        known = self.scale in (SUM, SHARP) or is_index
        _check("scale", f"{SUM!r}, {SHARP!r}, or 1 or more", known, self)
        area = is_finite(self.minimum_area) and self.minimum_area >= 0
        _check("minimum_area", "a number of at least 0", area, self)
        _check("record", "a dict", isinstance(self.record, dict), self)

    def check_classes(self, class_names: list[str]) -> None:
        """Refuse classes that are not among those of a run.

        Raises:
            MscamError: If `good` or a class of `map_thresholds` is none of them.
        """
        named = [*self.map_thresholds, *([] if self.good is None else [self.good])]
        unknown = [name for name in named if name not in class_names]
        if unknown:
            raise MscamError(
                f"The operating point must be of the classes {class_names}. Received: {unknown}"
            )

    def check_area(self, image_size: tuple[int, int]) -> None:
        """Refuse a least area that no region of an image `(height, width)` can have.

        Raises:
            MscamError: If it is larger than the image: nothing would ever be marked.
        """
        height, width = image_size
        if self.minimum_area > height * width:
            raise MscamError(
                f"`minimum_area` (--minimum-area) must be at most {height * width}, the pixels of "
                f"an image as the model sees it ({width} x {height}): nothing would be marked. "
                f"Received: minimum_area={self.minimum_area:g}"
            )

    def take_maps(self, explanation: Explanation) -> np.ndarray:
        """Return the maps of an image that are marked, `(H, W, C)`.

        Raises:
            MscamError: If the explanation has no maps of that scale.
        """
        if self.scale == SHARP:
            return sharpen_maps(self._take_odds(explanation), explanation.image)
        if isinstance(self.scale, str):
            return explanation.maps
        known = len(explanation.scale_maps)
        if not known:
            raise MscamError(
                "The session must give the maps of each scale (scale_maps=True). "
                f"Received: scale={self.scale}, maps of no scale"
            )
        if self.scale > known:
            raise MscamError(
                f"`scale` (--scale) must be one of the {known} scales of the model, or `sum` or "
                f"`sharp`. Received: scale={self.scale}"
            )
        maps: np.ndarray = explanation.scale_maps[self.scale - 1]
        return maps

    def _take_odds(self, explanation: Explanation) -> np.ndarray:
        if self.good is None:
            return explanation.maps
        index = explanation.class_names.index(self.good)
        odds: np.ndarray = explanation.maps - explanation.maps[..., index : index + 1]
        return odds

    @property
    def needs_scale_maps(self) -> bool:
        """Whether the maps of one scale are marked, which a session gives only if it is asked."""
        return not isinstance(self.scale, str)


def _check(name: str, expected: str, right: bool, point: OperatingPoint) -> None:
    if not right:
        value = getattr(point, name)
        raise MscamError(f"`{name}` must be {expected}. Received: {name}={value!r}")


def read_operating_point(run: Run) -> OperatingPoint | None:
    """Read the operating point that a run keeps; `None` if it keeps none, as older runs.

    Raises:
        RunError: If the file is damaged, a newer version of the library wrote it, or it is of other
            classes than those of the run.
    """
    values = run.read_record(_RECORD)
    if values is None:
        return None
    values = dict(values)
    path = run.find_record(_RECORD)
    number = values.pop("format", 0)  # The first had none, and are the same otherwise.
    if number not in (0, _FORMAT):
        raise RunError(
            f"{path} has a format that this version of mscam-tf does not "
            f"know; install a newer version. Expected: a format up to {_FORMAT}. "
            f"Received: format={number!r}"
        )
    known = {one.name for one in fields(OperatingPoint)}
    if "map_thresholds" not in values or not known.issuperset(values):
        raise RunError(
            f"{path} is no operating point of this run. Expected: map_thresholds, and of "
            f"{sorted(known)} any. Received: {sorted(values)}"
        )
    try:
        point = OperatingPoint(**values)
        point.check_classes(run.class_names)
    except (TypeError, ValueError) as error:
        raise RunError(f"{path} is no operating point of this run: {error}") from error
    return point


def write_operating_point(run: Run, point: OperatingPoint) -> None:
    """Keep an operating point with a run, in the place of the one before.

    Raises:
        MscamError: If it is of other classes than those of the run.
    """
    point.check_classes(run.class_names)
    run.write_record(_RECORD, {"format": _FORMAT, **asdict(point)})
