"""Rows of an inspection in Parquet files, each written whole."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from mscam_tf.deployment import need
from mscam_tf.drift import FEATURES
from mscam_tf.errors import RunError
from mscam_tf.files import write_whole
from mscam_tf.inspection.rows import make_utf8

TABLES = ("images", "regions", "tiles")
_MOST_ROWS, _MOST_SECONDS = 1024, 30.0  # Of images in a part, and until it is written.
_NUMBERS = (
    *("score", "share", "x_min", "y_min", "x_max", "y_max"),
    *("center_x", "center_y", "peak_x", "peak_y", "area", "size"),
)
_NAMED = ("path", "picture")  # Which are written so already.
_COUNTED = ("modified", "label", "rejected", "problem", "regions")
_Rows = list[dict[str, Any]]


class Recorder:
    """Keeps rows of images, of regions and of tiles, in folders of Parquet files.

    A part is one file of each table. That of the images is written last, and an image counts as
    inspected once it has its row: what a stop leaves of a part without it is removed. So no row is
    lost or doubled, whenever a process ends.

    Args:
        folder: Where the folders `images`, `regions` and `tiles` are.

    Attributes:
        done: The paths that have rows, and when their files had been written.
        unreadable: Those of them that could not be read.
        counts: How many images were `accepted`, `rejected`, without `verdict` and `unreadable`, and
            how many `regions` they have.
        labels: How many images have each label.

    Raises:
        MscamError: If pyarrow is not installed.
        RunError: If a file of rows is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._arrow = need("pyarrow", "line")
        self._parquet = need("pyarrow.parquet", "line")
        self._schemas = _make_schemas(self._arrow)
        self._folder = folder
        self._rows: list[tuple[_Rows, _Rows, _Rows]] = []  # Of an image each: all or none.
        self._since = time.monotonic()
        self._part = self._remove_halves()
        self._count_all()

    def add(self, image: dict[str, Any], regions: _Rows, tiles: _Rows) -> bool:
        """Take the rows of an image; return whether they were written, with those before them."""
        path = {"path": image["path"]}
        image = _write_utf8(image)
        regions, tiles = ([_write_utf8(path | row) for row in rows] for rows in (regions, tiles))
        self._rows.append(([image], regions, tiles))
        self._count(image)
        return self.tick()

    def tick(self) -> bool:
        """Write all rows that were taken, if the first waits for 30 seconds or they are 1,024."""
        late = time.monotonic() - self._since > _MOST_SECONDS
        if not late and len(self._rows) < _MOST_ROWS:
            return False
        return self.flush()

    def flush(self) -> bool:
        """Write all rows that were taken; return whether there were any."""
        self._since = time.monotonic()
        if not self._rows:
            return False
        tables = dict(zip(TABLES, zip(*self._rows, strict=True), strict=True))
        for name in reversed(TABLES):  # The images last.
            part = self._folder / name / f"{self._part + 1:06d}.parquet"
            self._write(part, list(chain.from_iterable(tables[name])))
        # In this order, and not before: stopped anywhere here, it is called once more.
        self._rows = []
        self._part += 1
        return True

    def drop_unreadable(self, paths: set[str]) -> None:
        """Take back the rows of images that could not be read, so that they have none."""
        if not paths:
            return
        self.flush()
        for part in self._list_parts("images"):
            with self._name_damage(part):
                table = self._parquet.read_table(part)
            kept = [row for row in table.to_pylist() if row["path"] not in paths]
            if len(kept) < len(table):
                self._write(part, kept)
        self._count_all()

    def _write(self, part: Path, rows: _Rows) -> None:
        table = self._arrow.Table.from_pylist(rows, self._schemas[part.parent.name])
        with write_whole(part) as partial:
            self._parquet.write_table(table, partial)

    def _count_all(self) -> None:
        self.done: dict[str, float | None] = {}
        self.unreadable: set[str] = set()
        self.counts: Counter[str] = Counter()
        self.labels: Counter[str] = Counter()
        for row in self.read_images(*_COUNTED):
            self._count(row)

    def _count(self, row: dict[str, Any]) -> None:
        self.done[row["path"]] = row["modified"]
        if row["problem"] is not None:
            self.unreadable.add(row["path"])
        self.counts[_name_outcome(row)] += 1
        self.counts["regions"] += row["regions"] or 0
        if row["label"] is not None:
            self.labels[row["label"]] += 1

    def read_images(self, *columns: str) -> Iterator[dict[str, Any]]:
        """Read the rows of images that were written, in their order: the path, and columns."""
        for path in self._list_parts("images"):
            with self._name_damage(path):
                table = self._parquet.read_table(path, columns=["path", *columns])
                rows = table.select(["path", *columns]).to_pylist()
            yield from rows

    @contextmanager
    def _name_damage(self, path: Path) -> Iterator[None]:
        try:
            yield
        except (self._arrow.ArrowException, KeyError, OSError) as error:
            part = f"the files {path.name} of {', '.join(TABLES)}"
            raise RunError(
                f"{path} cannot be read; remove {part}, and their images are inspected once more: "
                f"{error}"
            ) from error

    def _remove_halves(self) -> int:
        """Remove parts without their images; return the number of the last whole one."""
        whole = {path.name for path in self._list_parts("images")}
        for name in ("regions", "tiles"):
            parts = self._list_parts(name)
            for lost in sorted(whole - {path.name for path in parts}):
                with self._name_damage(self._folder / name / lost):
                    raise FileNotFoundError("it is not there")
            for path in parts:
                if path.name not in whole:
                    path.unlink()
                    continue
                with self._name_damage(path):
                    self._parquet.read_metadata(path)
        return max((int(name.partition(".")[0]) for name in whole), default=0)

    def _list_parts(self, name: str) -> list[Path]:
        """List the files of a table that are ours: those with a number for a name."""
        files = (self._folder / name).glob("*.parquet")
        return sorted(path for path in files if path.stem.isascii() and path.stem.isdigit())


def _write_utf8(row: dict[str, Any]) -> dict[str, Any]:
    """Labels and reasons may hold names of folders and files, whatever bytes they are of."""
    return {
        name: make_utf8(value) if isinstance(value, str) and name not in _NAMED else value
        for name, value in row.items()
    }


def _name_outcome(row: dict[str, Any]) -> str:
    if row["problem"] is not None:
        return "unreadable"
    return {True: "rejected", False: "accepted", None: "without_verdict"}[row["rejected"]]


def _make_schemas(arrow: Any) -> dict[str, Any]:
    text, number, whole, flag = arrow.string(), arrow.float64(), arrow.int32(), arrow.bool_()
    images = {"path": text, "modified": number, "height": whole, "width": whole, "label": text}
    images |= {"score": number, "rejected": flag, "logits": arrow.list_(number)}
    images |= {"regions": whole, "tiles": whole, "picture": text}
    images |= {"latency": number, "problem": text}
    images |= {"drift": number, "drift_feature": text, **dict.fromkeys(FEATURES, number)}
    regions = {"path": text, "label": text, "number": whole, "scale": whole}
    regions |= dict.fromkeys(_NUMBERS, number)
    tiles = {"path": text, "x": whole, "y": whole, "label": text, "score": number, "rejected": flag}
    tables = zip(TABLES, (images, regions, tiles), strict=True)
    return {name: arrow.schema(list(columns.items())) for name, columns in tables}
