"""Image files that cannot be used, and why."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mscam_tf.errors import MscamError
from mscam_tf.files import write_table

_LISTED = 20  # Bad files that a message names; the error itself holds all.


class Problem(NamedTuple):
    """An image file that cannot be used, and why."""

    path: Path
    reason: str


class ImageError(MscamError):
    """One or several image files cannot be used; the message names each and says why.

    Attributes:
        problems: All of them; the message names the first 20.
    """

    def __init__(self, problems: Sequence[tuple[Path, str]], advice: str = "") -> None:
        self.problems = [Problem(*problem) for problem in problems]
        lines = [f"  {path}: {reason}" for path, reason in self.problems[:_LISTED]]
        if len(self.problems) > _LISTED:
            lines.append(f"  and {len(self.problems) - _LISTED} more")
        count = f"{len(self.problems)} image files" if len(self.problems) > 1 else "An image file"
        super().__init__("\n".join([f"{count} cannot be read:", *lines, *filter(None, [advice])]))

    @classmethod
    def of_several(cls, problems: Sequence[tuple[Path, str]], readable: bool) -> "ImageError":
        """Return the error of several images; if others are readable, it says how to go on."""
        advice = "Mend them, or leave them out (skip_bad=True, --skip-bad)."
        return cls(problems, advice if readable else "")


def name_problem(path: Path, error: Exception) -> ImageError:
    """Return any error of a decoder as one that names the file."""
    if isinstance(error, ImageError):
        return error
    system = error.strerror if isinstance(error, OSError) else None  # Without number and path.
    return ImageError([(path, (system and system.lower()) or str(error) or type(error).__name__)])


def write_problems(problems: Sequence[tuple[Path, str]], path: str | Path) -> None:
    """Write a CSV file of the images that were left out, with the columns path and reason."""
    rows = [{"path": str(file), "reason": reason} for file, reason in problems]
    write_table(path, rows, ("path", "reason"))
