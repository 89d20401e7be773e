"""Wait for images that a scanner writes into folders."""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mscam_tf.data.manifests import walk
from mscam_tf.errors import MscamError
from mscam_tf.names import show_place

_LOGGER = logging.getLogger(__name__)
_POLL = 0.2  # Seconds between two looks at the folders.


@dataclass
class _File:
    """What a file was when it was last seen, and since when it is so."""

    stamp: tuple[int, int]
    since: float


@dataclass
class Watcher:
    """Watches folders for files that are complete: unchanged for a while, and not empty.

    Attributes:
        folders: What is watched, with all below them.
        idle: Seconds without a file, new or not complete, after which it ends; by default never.
        settled: Seconds without a change after which a file is complete.
        patience: Seconds without a change after which a file that is empty, or cannot be read, is
            bad.

    Raises:
        MscamError: If a file is among the folders: no image comes into it.
    """

    folders: Sequence[Path]
    idle: float | None = None
    settled: float = 0.5
    patience: float = 10.0
    _seen: dict[Path, _File] = field(default_factory=dict)
    _taken: dict[Path, tuple[int, int]] = field(default_factory=dict)  # As they were then.
    _pending: int = 0  # Files that were there at the last look, and not complete.

    def __post_init__(self) -> None:
        files = [path for path in self.folders if path.exists() and not path.is_dir()]
        if files:
            raise MscamError(
                "What is watched must be a folder, or not there yet. Images and lists of images "
                f"are inspected without watching. Received: {show_place(files[0])}, a file"
            )

    def wait(self) -> Iterator[list[Path]]:
        """Give the files that became complete, the one that did so first before the others.

        The list is empty where nothing happened for a moment. A folder that is not there yet, or
        for a while, is waited for.
        """
        active = time.monotonic()
        while self.idle is None or time.monotonic() - active < self.idle:
            start = time.monotonic()
            found = self._look()
            yield found
            active = time.monotonic() if found or self._pending else active
            # A large folder takes long to look through: half of the time is left for work.
            time.sleep(max(_POLL, time.monotonic() - start if not found else 0))

    def may_grow(self, path: Path) -> bool:
        """Whether a file that cannot be read may still be written to; if so it is given again."""
        file = self._seen.get(path)
        if file is None or time.monotonic() - file.since > self.patience:
            return False
        self._taken.pop(path, None)
        return True

    def take_latency(self, path: Path) -> float | None:
        """Return the seconds since a file was complete, once: its times are kept no longer.

        It is called when the file has been read, which may have grown until then.
        """
        stamp = _stamp(path)
        if path in self._taken and stamp is not None:
            self._taken[path] = stamp
        file = self._seen.pop(path, None)
        return None if file is None else time.monotonic() - file.since

    def _look(self) -> list[Path]:
        now, complete, self._pending = time.monotonic(), [], 0
        for path in self._list():
            stamp = _stamp(path)
            if stamp is None:
                continue
            if path in self._taken:
                self._warn_if_changed(path, stamp)
                continue
            self._pending += 1
            file = self._seen.get(path)
            if file is None or file.stamp != stamp:
                self._seen[path] = _File(stamp, now)
            elif now - file.since >= (self.settled if stamp[0] else self.patience):
                complete.append(path)
        self._pending -= len(complete)
        self._taken |= {path: self._seen[path].stamp for path in complete}
        return sorted(complete, key=lambda path: self._seen[path].since)

    def _warn_if_changed(self, path: Path, stamp: tuple[int, int]) -> None:
        if stamp != self._taken[path]:
            self._taken[path] = stamp
            warn_of_changed([path])

    def _list(self) -> Iterator[Path]:
        for folder in self.folders:
            if folder.is_dir():
                yield from (folder / name for name in walk(folder).images)


def warn_of_changed(paths: Sequence[Path]) -> None:
    """Say which images are no longer those that were inspected."""
    for path in paths:
        _LOGGER.warning(
            "%s has changed since it was inspected, and is not inspected again: give each image a "
            "name of its own.",
            show_place(path),
        )


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:  # It is gone already.
        return None
    return found.st_size, found.st_mtime_ns
