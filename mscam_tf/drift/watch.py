"""Watch images in their order: which are unlike the reference, and since when they moved."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mscam_tf.drift.features import FEATURES, measure_image
from mscam_tf.drift.outliers import OutlierTest
from mscam_tf.drift.periods import PERIOD, PeriodTest
from mscam_tf.drift.reference import Reference, read_reference
from mscam_tf.runs import (
    OperatingPoint,
    Run,
    Task,
    has_verdict,
    is_rejected,
    read_operating_point,
    score_rejects,
)

SCORE = "score"
ROW = ("logits", "drift", "drift_feature", *FEATURES)  # What `DriftWatch.add` needs of a row.


@dataclass(frozen=True)
class Period:
    """Images one after the other that have moved away from the reference.

    Attributes:
        first: Path of the first image.
        last: Path of the last one.
        images: How many they are.
        features: Which features moved, each `"above"` or `"below"` the reference.
    """

    first: str
    last: str
    images: int
    features: dict[str, str]


@dataclass(frozen=True)
class DriftSummary:
    """What watching came to.

    Attributes:
        images: How many images were watched.
        unlike: How many of them are unlike the reference.
        features: How many of these by each feature.
        judged: How many periods were judged.
        period: Images of a period.
        periods: Those that moved, each joined with those before and after it.
    """

    images: int
    unlike: int
    features: dict[str, int]
    judged: int
    period: int
    periods: tuple[Period, ...] = ()


@dataclass
class DriftWatch:
    """Watches images in the order in which they come.

    Each image is judged by itself, from its pixels alone. A period of 50 images is judged once it
    is complete, by the same features and by the reject score of those that are accepted: how many
    are rejected is no drift. Where it is not known which images are good, the largest logit stands
    for the score.

    Args:
        reference: What images should be like.
        task: What its logits mean.
        point: When images are rejected.

    Attributes:
        periods: Those that moved, each joined with those before and after it.
    """

    reference: Reference
    task: Task
    point: OperatingPoint
    periods: list[Period] = field(default_factory=list)

    def __post_init__(self) -> None:
        scores = self._score_accepted(self.reference.logits)
        values = np.column_stack([self.reference.features, scores])
        self._outliers = OutlierTest(self.reference.features)
        self._periods = PeriodTest((*FEATURES, SCORE), values)
        self._waiting: list[tuple[str, list[float]]] = []
        self._images, self._judged, self._unlike = 0, 0, Counter[str]()
        self._moved = False  # Whether the last period did.

    def describe(self, image: np.ndarray) -> dict[str, Any]:
        """Return the cells of an image's row: its features, and what they come to."""
        features = measure_image(image)
        distance, unlike = self._outliers.judge(features)
        cells = dict(zip(FEATURES, features.tolist(), strict=True))
        return {**cells, "drift": distance, "drift_feature": unlike}

    def add(self, row: Mapping[str, Any]) -> Period | None:
        """Take the row of the next image; return the period that moved and ends with it, if any."""
        if row["drift"] is None:  # It could not be read.
            return None
        self._images += 1
        if row["drift_feature"] is not None:
            self._unlike[row["drift_feature"]] += 1
        score = self._score_accepted(np.array([row["logits"]]))[0]
        self._waiting.append((row["path"], [*(row[name] for name in FEATURES), score]))
        return self._judge() if len(self._waiting) == PERIOD else None

    def summarize(self) -> DriftSummary:
        """Return what watching has come to."""
        unlike = self._unlike
        counts = dict(unlike.most_common())
        periods = tuple(self.periods)
        return DriftSummary(self._images, unlike.total(), counts, self._judged, PERIOD, periods)

    def _judge(self) -> Period | None:
        paths, values = zip(*self._waiting, strict=True)
        told = self._periods.judge(np.array(values))
        self._waiting, moved_before = [], self._moved
        self._judged, self._moved = self._judged + 1, bool(told)
        if not told:
            return None
        period = Period(paths[0], paths[-1], len(paths), told)
        if moved_before:
            before = self.periods.pop()
            period = replace(
                period,
                first=before.first,
                images=before.images + len(paths),
                features={**before.features, **told},
            )
        self.periods.append(period)
        return period

    def _score_accepted(self, logits: np.ndarray) -> np.ndarray:
        if not has_verdict(self.task, self.point):
            largest: np.ndarray = logits.max(axis=1)
            return largest
        scores = score_rejects(self.task, logits, self.point.good)
        return np.where(is_rejected(self.task, logits, self.point), np.nan, scores)


def open_watch(run: Run) -> DriftWatch | None:
    """Begin to watch images of a run or an export; `None` if it keeps no reference."""
    reference, point = read_reference(run), read_operating_point(run)
    if reference is None or point is None:
        return None
    return DriftWatch(reference, run.task, point)
