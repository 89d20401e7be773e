"""One map an image: the evidence of any object at each place, and maps that nobody learned."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from mscam_tf.errors import MscamError
from mscam_tf.metrics import draw_middle, find_spots, sharpen_maps
from mscam_tf.runs import Explanation, Task, find_good_class

BASELINES = ("middle", "dark spots", "bright spots")


@dataclass(frozen=True)
class Evidence:
    """Makes one map of those of several classes.

    With several findings it is the highest of them. With one label it is the log odds of any of the
    classes against the good one at each place, or, without a good one, the highest relative to the
    mean of all classes: only differences between classes say something.

    Args:
        task: What the maps mean.
        classes: Which classes count; by default all but the good one.
        good: The class of good images; by default `none`, if there is one.

    Raises:
        MscamError: If a class is none of the task's, or is the good one.

    Examples:
        >>> from mscam_tf.runs import OneLabel
        >>> evidence = Evidence(OneLabel(["bone", "none"]))
        >>> float(evidence.join(np.array([[[3.0, 1.0]]]))[0, 0])
        2.0
    """

    task: Task
    classes: Sequence[str] = ()
    good: str | None = None

    def __post_init__(self) -> None:
        known = [name for name in self.task.class_names if name != self.good_class]
        unknown = [name for name in self.classes if name not in known]
        if unknown:
            raise MscamError(f"`classes` (--class) must be of {known}. Received: {unknown}")

    @property
    def good_class(self) -> str | None:
        """The class of good images, if the task has one."""
        return find_good_class(self.task, self.good)

    def join(self, maps: np.ndarray) -> np.ndarray:
        """Return one map `(H, W)` of those of all classes, `(H, W, C)`."""
        names = self.task.class_names
        chosen = [names.index(name) for name in self.classes] or [
            index for index, name in enumerate(names) if name != self.good_class
        ]
        parts = np.asarray(maps, np.float64)[..., chosen]
        if not self.task.exclusive:
            highest: np.ndarray = parts.max(-1)
            return highest
        if self.good_class is None:
            relative: np.ndarray = parts.max(-1) - maps.mean(-1)
            return relative
        odds: np.ndarray = logsumexp(parts, axis=-1) - maps[..., names.index(self.good_class)]
        return odds

    def list_maps(self, explanation: Explanation) -> dict[str, np.ndarray]:
        """Return the maps of an image that are scored, `(H, W)` each, by their names."""
        image = explanation.image
        maps = {"sum": self.join(explanation.maps)}
        maps["sharp"] = sharpen_maps(maps["sum"], image)
        scales = explanation.scale_maps if len(explanation.scale_maps) > 1 else ()
        for number, scale in enumerate(scales, start=1):
            maps[f"scale {number}"] = self.join(scale)
        baselines = (
            draw_middle((image.shape[0], image.shape[1])),
            find_spots(image, "dark"),
            find_spots(image, "bright"),
        )
        return maps | dict(zip(BASELINES, baselines, strict=True))
