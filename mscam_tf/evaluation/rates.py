"""How often good images are rejected, and others accepted: rates with exact intervals."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mscam_tf.errors import MscamError
from mscam_tf.metrics import clopper_pearson
from mscam_tf.runs import OperatingPoint, Task, find_good_images, is_rejected


@dataclass(frozen=True)
class Rate:
    """How often something happens to groups of images.

    A group counts if it happens to any of its images: of a part that is seen in several images, one
    that is rejected throws the part away.

    Attributes:
        count: Groups to which it happened.
        groups: All groups, one or more.
        images: Images to which it happened.
    """

    count: int
    groups: int
    images: int

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of Clopper and Pearson."""
        return clopper_pearson(self.count, self.groups)

    @property
    def bound(self) -> float:
        """What the rate is at most, at a confidence of 95 %: an upper end alone."""
        return clopper_pearson(self.count, self.groups, side="upper")[1]

    def to_json(self) -> dict[str, Any]:
        """Return the counts and the ends of the interval."""
        low, high = self.interval
        counts = {"count": self.count, "groups": self.groups, "images": self.images}
        return counts | {
            "low": round(low, 6),
            "high": round(high, 6),
            "bound": round(self.bound, 6),
        }


def count_groups(happened: np.ndarray, groups: np.ndarray) -> Rate | None:
    """Count the groups of which it happened to any image.

    Args:
        happened: For each image, `(n,)` of booleans.
        groups: Group of each image, `(n,)`.

    Returns:
        The `Rate`, or `None` of no images.

    Examples:
        >>> rate = count_groups(np.array([True, False, True]), np.array(["a", "b", "a"]))
        >>> rate.count, rate.groups, rate.images
        (1, 2, 2)
    """
    if len(happened) != len(groups):
        raise MscamError(
            f"`groups` must name a group for each of {len(happened)} images. "
            f"Received: {len(groups)}"
        )
    if not len(groups):
        return None
    return Rate(len(set(groups[happened])), len(set(groups)), int(happened.sum()))


def count_verdicts(
    task: Task, labels: np.ndarray, logits: np.ndarray, groups: np.ndarray, point: OperatingPoint
) -> dict[str, Rate]:
    """Count the `false_rejects` among good groups, and the `misses` among the others.

    Args:
        task: What labels and logits mean.
        labels: From `Task.encode`.
        logits: `(n, C)`.
        groups: Group of each image, `(n,)`.
        point: The operating point, for which `has_verdict`.

    Returns:
        Both rates; none of images that are not there.
    """
    rejected = is_rejected(task, logits, point)
    good = find_good_images(task, labels, point.good)
    return count_both(rejected, good, groups)


def count_both(rejected: np.ndarray, good: np.ndarray, groups: np.ndarray) -> dict[str, Rate]:
    """Count `false_rejects` and `misses` of images that are rejected or not, and good or not."""
    rates = {
        "false_rejects": count_groups(rejected[good], groups[good]),
        "misses": count_groups(~rejected[~good], groups[~good]),
    }
    return {name: rate for name, rate in rates.items() if rate is not None}
