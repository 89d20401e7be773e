"""How images are inspected, so that any process can begin to do it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mscam_tf.errors import MscamError
from mscam_tf.inspection.inspections import Inspection
from mscam_tf.inspection.inspector import Entry, Inspector
from mscam_tf.inspection.sources import Source
from mscam_tf.inspection.tiles import Framing
from mscam_tf.names import show_place
from mscam_tf.runs import Run, Session
from mscam_tf.settings import Choice, check_value

PICTURES = "pictures"
_CHOICES: dict[str, Callable[[Inspection], bool]] = {
    "rejects": lambda inspection: inspection.verdict.rejected is True,
    "all": lambda inspection: True,  # noqa: ARG005
    "none": lambda inspection: False,  # noqa: ARG005
}
Inspect = Callable[[Sequence[Path]], Iterator[Entry]]
"""Gives an entry of each image, in their order."""


@dataclass(frozen=True)
class Plan:
    """How images are inspected; with a source that is closed, other processes can open it.

    Attributes:
        source: The run or the export.
        folder: The folder of the inspection.
        framing: How images are cut into tiles, if they are.
        pictures: Of which images to paint pictures.
    """

    source: Session | Source
    folder: Path
    framing: Framing | None = None
    pictures: str = "rejects"

    def __post_init__(self) -> None:
        check_value("pictures", self.pictures, Choice(tuple(_CHOICES)))

    @property
    def run(self) -> Run:
        """The run, or that which an export tells of."""
        return self.source.run if isinstance(self.source, Session) else self.source.read_run()

    @property
    def closed_source(self) -> Source:
        """The source, for workers to open.

        Raises:
            MscamError: If it is open already.
        """
        if isinstance(self.source, Source):
            return self.source
        raise MscamError(
            "Each worker opens the run or the export for itself: give a "
            "`mscam_tf.inspection.Source` in the place of a session. "
            f"Received: a session of {show_place(self.run.folder)}"
        )

    def open(self) -> Inspector:
        """Open the run or the export, if it is closed, and return what inspects images with it."""
        session = self.source if isinstance(self.source, Session) else self.source.open()
        painted = None if self.pictures == "none" else self.folder / PICTURES
        return Inspector(session, self.framing, painted, _CHOICES[self.pictures])

    def batch(self, paths: Sequence[Path]) -> list[Sequence[Path]]:
        """Part images into those that go through the model at once; frames fill it each alone."""
        size = 1 if self.framing else self.run.config.batch_size
        return [paths[start : start + size] for start in range(0, len(paths), size)]
