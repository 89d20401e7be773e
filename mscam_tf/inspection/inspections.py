"""What the inspection of an image comes to: the verdict on it, and the regions in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mscam_tf.data.reading import is_constant
from mscam_tf.localization import Region, list_regions, tabulate_regions
from mscam_tf.runs import (
    Explanation,
    OperatingPoint,
    Task,
    has_verdict,
    is_rejected,
    score_rejects,
)


@dataclass(frozen=True)
class Verdict:
    """What the logits of an image say, or those of a tile of it.

    Attributes:
        label: The predicted class, or the findings.
        logits: `(C,)`.
        score: The reject score, in logits; `None` where it is not known which images are good.
        rejected: Whether the score reaches the decision threshold; `None` as for the score.
    """

    label: str
    logits: np.ndarray = field(repr=False, compare=False)
    score: float | None
    rejected: bool | None


@dataclass(frozen=True)
class Tile:
    """A tile of a frame: its upper left corner, in pixels, and the verdict on it."""

    x: int
    y: int
    verdict: Verdict


@dataclass(frozen=True)
class Inspection:
    """What the inspection of an image comes to.

    Attributes:
        path: The image file.
        size: `(height, width)` of the image in its file, in pixels.
        verdict: The verdict on it; of a frame that on its worst tile.
        regions: The regions of all classes, in the pixels in which the model saw the image: of
            frames, those of the file.
        image: What a picture of it shows, `(h, w)`, values in `[0, 1]`; of large frames every n-th
            pixel.
        map: The map of one class, of the same size, in logits.
        shown: The class whose map that is: of those that are no good the one with the largest
            logit.
        seen_size: `(height, width)` of the pixels in which regions are.
        tiles: The tiles of a frame.
        constant: Whether all pixels are alike: the image shows nothing.
    """

    path: Path
    size: tuple[int, int]
    verdict: Verdict
    regions: Sequence[Region]
    image: np.ndarray = field(repr=False, compare=False)
    map: np.ndarray = field(repr=False, compare=False)
    shown: str
    seen_size: tuple[int, int]
    tiles: Sequence[Tile] = ()
    constant: bool = False

    def list_rows(self) -> list[dict[str, Any]]:
        """Return the regions as rows of numbers, in the pixels of the file."""
        (height, width), (rows, columns) = self.size, self.seen_size
        return list(tabulate_regions(self.regions, (width / columns, height / rows)))


def judge(task: Task, logits: np.ndarray, point: OperatingPoint) -> Verdict:
    """Return the verdict that logits `(C,)` stand for at an operating point.

    Examples:
        >>> from mscam_tf.runs import OneLabel
        >>> point = OperatingPoint({"bone": 1.0}, decision_threshold=1.0, good="none")
        >>> judge(OneLabel(["bone", "none"]), np.array([2.0, 0.5]), point)
        Verdict(label='bone', score=1.5, rejected=True)
    """
    logits = logits.astype(np.float64)
    label = task.name_prediction(task.activate(logits))
    if not has_verdict(task, point):
        return Verdict(label, logits, None, None)
    score = float(score_rejects(task, logits, point.good))
    return Verdict(label, logits, score, bool(is_rejected(task, logits, point)))


def decide(explanation: Explanation, task: Task, point: OperatingPoint) -> Inspection:
    """Decide on an image that went through the model as a whole.

    Args:
        explanation: What the run says of it.
        task: What its logits mean.
        point: When an image is rejected, and where its maps are marked.

    Returns:
        The `Inspection`; its regions have shares of the logit if the explanation has scale maps.
    """
    shown = choose_shown(explanation.class_names, explanation.logits, point)
    return Inspection(
        path=explanation.path,
        size=explanation.source_size or explanation.image.shape,
        verdict=judge(task, explanation.logits, point),
        regions=list_regions(explanation, point),
        image=explanation.image,
        map=point.take_maps(explanation)[..., explanation.class_names.index(shown)],
        shown=shown,
        seen_size=explanation.image.shape,
        constant=is_constant(explanation.image),
    )


def choose_shown(class_names: Sequence[str], logits: np.ndarray, point: OperatingPoint) -> str:
    """Choose the class whose map is shown: of those that are marked that of the largest logit."""
    marked = [name for name in class_names if name in point.map_thresholds] or class_names
    return max(marked, key=lambda name: float(logits[class_names.index(name)]))
