"""Labelled images: one, and a list of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from mscam_tf.errors import MscamError
from mscam_tf.names import has_control

NO_OBJECT, OBJECT = "none", "object"

SPLITS = ("train", "validation", "test")
MANIFEST_FILE, BOXES_FILE = "manifest.csv", "boxes.csv"
OBJECT_FILES = ("objects.csv", "bones.csv")  # Which `mscam simulate` writes.


class ManifestError(MscamError):
    """A folder or CSV file of labelled images is not as it should be."""


def check_label(label: str, place: str) -> None:
    """Refuse a label that would break the lines in which it is shown.

    Args:
        label: The label.
        place: Where it stands.

    Raises:
        ManifestError: If it has line breaks, tabs or other control characters.
    """
    if has_control(label):
        raise ManifestError(
            f"{place}: a label must not have line breaks, tabs or other control characters. "
            f"Received: label={label!r}"
        )


@dataclass(frozen=True)
class Sample:
    """A labelled image: its path below the manifest's root, and what belongs together with it.

    Attributes:
        path: The image, below the manifest's root or absolute.
        label: Its class.
        group: Images of one group (one film, one fish) stay in one split.
        split: `train`, `validation`, `test`, or empty.
        mask: The image's object mask, like `path`, or empty: nonzero where an object is. Values
            that differ number the objects.
        extra: The other columns of the CSV file, kept so that no command loses them.
        place: The file and line in which it is listed, for messages; empty where there is none.
    """

    path: str
    label: str
    group: str
    split: str = ""
    mask: str = ""
    extra: Mapping[str, str] = field(default_factory=dict, hash=False)
    place: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True)
class Manifest:
    """A list of labelled images below one folder.

    Attributes:
        root: The folder to which paths are relative.
        samples: The images.
        boxes: A file or folder of their boxes, as `mscam_tf.read_boxes` reads it, in the place of
            a `boxes.csv` in the folder; `None` for that one.
    """

    root: Path
    samples: tuple[Sample, ...]
    boxes: Path | None = None

    @property
    def class_names(self) -> list[str]:
        """The labels that occur, sorted: their order is the order of the classes."""
        return sorted({sample.label for sample in self.samples})

    @property
    def paths(self) -> list[Path]:
        """The image files."""
        return [self.root / sample.path for sample in self.samples]

    def select(self, split: str) -> "Manifest":
        """Return the samples of one split."""
        chosen = tuple(sample for sample in self.samples if sample.split == split)
        return replace(self, samples=chosen)
