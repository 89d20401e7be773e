"""What the argument `weights` names, parsed once: a word, or a file.

Nothing here imports Keras: settings and the command line look at it before any model is built.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from mscam_tf.errors import MscamError
from mscam_tf.models.embedded import XRAY_BACKBONE, XRAY_FILES
from mscam_tf.models.hashes import hash_file, stamp_file
from mscam_tf.settings import suggest

if TYPE_CHECKING:
    from mscam_tf.models.pretrained import Pretrained

_WORDS = ("none", *XRAY_FILES, "imagenet", "auto")
_SUFFIXES = (".npz", ".h5", ".keras")
_EXPECTED = (
    f"`weights` must be None, one of {', '.join(map(repr, _WORDS))}, or an existing file: .npz of "
    "a pretraining, .weights.h5 or .h5 of the backbone, or a .keras model built on it."
)


@dataclass(frozen=True)
class Weights:
    """What a model starts from, as `parse_weights` reads it.

    Attributes:
        kind: `"none"`, `"xray"`, `"xray-2"`, `"xray-1"`, `"imagenet"`, `"auto"` or `"file"`.
        path: The file of `"xray"`, of those of earlier versions, and of `"file"`.
    """

    kind: str
    path: Path | None = None

    @property
    def setting(self) -> str | None:
        """The value that settings keep: a word, the path of a file, or `None` for no weights."""
        if self.kind == "file":
            return str(self.path)
        return None if self.kind == "none" else self.kind

    @property
    def has_heads(self) -> bool:
        """Whether these are pretrained weights of the heads too, which `read` returns."""
        return self.path is not None and self.path.suffix == ".npz"

    @property
    def digest(self) -> str:
        """SHA-256 of the file, computed once for each state of it; empty if there is no file."""
        return "" if self.path is None else hash_file(self.path)

    @property
    def name(self) -> str:
        """A name for folders and tables: the word, or the name of the file, with its hash."""
        if self.path is None:
            return self.kind
        stem = self.path.parent.name if self.path.stem == "weights" else self.path.stem
        return f"{stem}-{self.digest[:8]}"

    def resolve(self, backbone: str) -> "Weights":
        """Return what `"auto"` stands for with a backbone; all else stays as it is."""
        if self.kind != "auto":
            return self
        return parse_weights("xray" if backbone == XRAY_BACKBONE else None)

    def check(self, backbone: str) -> None:
        """Refuse a file that is missing or damaged, and what does not fit the backbone.

        Raises:
            MscamError: If the file is missing, or another backbone is needed.
            OSError: If an `.npz` file is damaged.
        """
        if self.kind in XRAY_FILES and backbone != XRAY_BACKBONE:
            raise MscamError(
                f"The weights {self.kind!r} fit the backbone {XRAY_BACKBONE} alone. "
                f"Received: backbone={backbone!r}"
            )
        if self.path is not None and not self.path.is_file():
            raise MscamError(f"{_EXPECTED} Received: weights={str(self.path)!r}")
        self.read()

    def read(self) -> "Pretrained | None":
        """Return the weights with those of the heads, or `None` where there are no heads.

        A file is read once, as long as it does not change.

        Raises:
            OSError: If the file is missing or damaged.
        """
        if self.path is None or not self.has_heads:
            return None
        return _read(self.path, stamp_file(self.path))


def parse_weights(weights: "str | Path | Weights | None") -> Weights:
    """Parse what a builder's or a setting's `weights` names. No file is opened.

    Args:
        weights: `None` or `"none"`, `"xray"`, `"xray-2"`, `"xray-1"`, `"imagenet"`, `"auto"`, or
            the path of a file.

    Raises:
        MscamError: If it is no such word, and no file of weights by its suffix.

    Examples:
        >>> parse_weights("imagenet").name, parse_weights(None).name
        ('imagenet', 'none')
        >>> parse_weights("pretrained/weights.npz").has_heads
        True
        >>> parse_weights("own.weights.h5").has_heads
        False
    """
    if isinstance(weights, Weights):
        return weights
    if weights is None or weights in _WORDS:
        kind = str(weights or "none")
        return Weights(kind, XRAY_FILES.get(kind))
    if not isinstance(weights, str | Path) or Path(weights).suffix not in _SUFFIXES:
        raise MscamError(f"{_EXPECTED}{suggest(weights, _WORDS)} Received: weights={weights!r}")
    return Weights("file", Path(weights))


def load_pretrained() -> "Pretrained":
    """Load the weights behind `weights="xray"`; nothing is downloaded.

    Raises:
        OSError: If the file is damaged: its SHA-256 is not the one recorded.
    """
    pretrained = parse_weights("xray").read()
    assert pretrained is not None  # These have heads.
    return pretrained


@lru_cache(maxsize=2)  # Each takes as much memory as the model that it belongs to.
def _read(path: Path, stamp: tuple[str, int, int, int]) -> "Pretrained":  # noqa: ARG001
    from mscam_tf.models.pretrained import read_pretrained

    return read_pretrained(path)
