"""What the builders share: splits, boxes, and the terms of GDXray."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from mscam_tf.data.manifests import SPLITS
from mscam_tf.names import show_place

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

GDXRAY_CITATION = """\
@article{mery2015gdxray,
  author  = {Mery, Domingo and Riffo, Vladimir and Zscherpel, Uwe and Mondrag{\\'o}n, German
             and Lillo, Iv{\\'a}n and Zuccar, Irene and Lobel, Hans and Carrasco, Miguel},
  title   = {{GDXray}: The Database of {X}-ray Images for Nondestructive Testing},
  journal = {Journal of Nondestructive Evaluation},
  volume  = {34},
  number  = {42},
  year    = {2015},
  doi     = {10.1007/s10921-015-0315-7},
}"""
GDXRAY_TERMS = "Of GDXray, free for research and education only: no redistribution, no sale."
_SHARES = (7, 1, 2)


def split_groups(
    groups: Mapping[str, str], shares: tuple[int, int, int] = _SHARES
) -> dict[str, str]:
    """Assign groups to train, validation and test, in the same shares within each label.

    Each split has at least one group of a label that has three or more.

    The result depends on the names and labels alone, so that a version of a data set stays the
    same wherever it is prepared.

    Args:
        groups: The label of each group.
        shares: Shares of train, validation and test.

    Returns:
        The split of each group.

    Examples:
        >>> splits = split_groups({f"fish{i}": "bone" for i in range(10)})
        >>> [list(splits.values()).count(split) for split in ("train", "validation", "test")]
        [7, 1, 2]
    """
    splits: dict[str, str] = {}
    for label in sorted(set(groups.values())):
        members = sorted(group for group in groups if groups[group] == label)
        shuffled = np.random.default_rng(0).permutation(members)
        counts = [_count_share(share / sum(shares), len(members)) for share in shares[1:]]
        train = len(members) - sum(counts)
        parts = np.split(shuffled, [train, train + counts[0]])
        for split, part in zip(SPLITS, parts, strict=True):
            splits |= dict.fromkeys(part.tolist(), split)
    return splits


def _count_share(share: float, members: int) -> int:
    """Count a share, and at least one of three members: no split may lack a label."""
    return max(round(share * members), int(share > 0 and members >= len(SPLITS)))


def make_box(box: np.ndarray, size: tuple[int, int]) -> tfds.features.BBox:
    """Scale a box `x_min, y_min, x_max, y_max` in pixels to an image of `(height, width)`."""
    import tensorflow_datasets as tfds  # Not before: its import brings this module's users here.

    height, width = size
    x_min, y_min, x_max, y_max = (float(value) for value in box)
    return tfds.features.BBox(
        ymin=y_min / height, xmin=x_min / width, ymax=y_max / height, xmax=x_max / width
    )


def read_grey(path: Path) -> np.ndarray:
    """Read an 8-bit grey image as `(height, width, 1)`, uint8."""
    with path.open("rb") as file:
        return np.asarray(Image.open(file).convert("L"))[..., None]


def find_manual_folder(dl_manager: tfds.download.DownloadManager, name: str) -> Path:
    """Return a folder that the user has placed by hand.

    Raises:
        FileNotFoundError: If it is not there; the message says where it belongs.
    """
    try:
        folder: Path = dl_manager.manual_dir / name
    except AssertionError as error:  # The folder of all manual data is missing or empty.
        raise FileNotFoundError(str(error)) from None
    if not folder.is_dir():
        raise FileNotFoundError(
            f"Expected the folder {name}. Received: {show_place(folder)}, not a folder"
        )
    return folder
