"""How frames are cut."""

from dataclasses import dataclass, field

from mscam_tf.data.reading import ReadOptions
from mscam_tf.settings import check_settings_of


@dataclass(frozen=True)
class Tiling:
    """How frames are cut.

    Attributes:
        size: Side of the square patches, in pixels.
        overlap: Share of a patch that the next one repeats, from 0 to below 1.
        border: What to do where a frame is no whole number of steps: `shift` moves the last patch
            back inside, `pad` fills it with the pixels of the frame's edge, and `drop` leaves the
            rest out. A frame that is smaller than a patch is padded, unless it is dropped.
        min_visible: A patch shows an object if at least this share of the object's area is in it
            (of the most that any patch could hold, where the object is larger than a patch). A
            patch that shows only smaller parts of objects is ambiguous, and left out.
        empty: How many patches without an object to keep: this number of them for each patch with
            an object, drawn at random from all frames. By default all are kept.
        seed: Seed of the choice among the patches without an object.
        read: How the frames are read.

    Raises:
        MscamError: If a value is out of range.
    """

    size: int = 224
    overlap: float = 0.0
    border: str = "shift"
    min_visible: float = 0.5
    empty: float | None = None
    seed: int = 0
    read: ReadOptions = field(default_factory=ReadOptions)

    def __post_init__(self) -> None:
        check_settings_of(self)
