"""Inspect images one after the other: decode, run, decide and paint, at the same time."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from mscam_tf.data.reading import ImageError, Problem
from mscam_tf.drift import Period, open_watch
from mscam_tf.files import write_png
from mscam_tf.inspection.frames import inspect_frame
from mscam_tf.inspection.inspections import Inspection, decide
from mscam_tf.inspection.rows import (
    describe_inspection,
    describe_verdict,
    make_row,
    name_picture,
    say_verdict,
)
from mscam_tf.inspection.tiles import Framing
from mscam_tf.localization import choose_point
from mscam_tf.plots import paint_overlay
from mscam_tf.runs import SHARP, Explanation, OperatingPoint, Run, Session, read_operating_point

_THREADS = 2  # That decide and paint: each takes memory of its own.
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Entry:
    """What became of one image: its rows, as they stand in the tables.

    Attributes:
        path: The image file.
        row: Of the image; `problem` says why it cannot be read.
        regions: Of its regions.
        tiles: Of the tiles of a frame.
        resized: Whether the model saw it in another size than that of its file.
        constant: Whether all pixels are alike, as they are stored or by the window.
        moved: The period of images that ends with this one and is unlike the reference, if any.
    """

    path: Path
    row: dict[str, Any]
    regions: list[dict[str, Any]]
    tiles: list[dict[str, Any]]
    resized: bool
    constant: bool = False
    moved: Period | None = None


class Inspector:
    """Inspects images with a run or an export that stays open.

    Images are decoded by threads while the model runs, and decisions are made and pictures painted
    by others, so that the model hardly waits.

    Args:
        session: The run or the export.
        framing: How frames are cut into tiles; `None` takes each image as a whole, resized to the
            size of the run as its training did.
        pictures: A folder for pictures; `None` paints none.
        choose: Which inspections are painted.
    """

    def __init__(
        self,
        session: Session,
        framing: Framing | None = None,
        pictures: Path | None = None,
        choose: Callable[[Inspection], bool] = lambda _: True,
    ) -> None:
        self.session, self.framing = session, framing
        self.pictures, self._choose = pictures, choose
        self.point = read_operating_point(session.run)
        self._watch = None if framing else open_watch(session.run)
        self._range = _choose_range(session.run, self.point) if pictures else (0.0, 0.0)

    def inspect(self, paths: Sequence[Path]) -> Iterator[Entry]:
        """Inspect images; give an entry of each, in their order.

        Raises:
            RunError: If the model gives NaN or infinity.
        """
        results = self._explain(paths) if self.framing is None else self._cut(paths)
        return map_ahead(self._finish, results, self.session.batch_size)

    def _explain(self, paths: Sequence[Path]) -> Iterator[Explanation | Problem]:
        for result in self.session.explain(paths):
            if self.point is None and isinstance(result, Explanation):
                self.point = choose_point(self.session, result)
            yield result

    def _cut(self, paths: Sequence[Path]) -> Iterator[Inspection | Problem]:
        for path in paths:
            try:
                yield inspect_frame(self.session, path, self.point, self.framing)
            except ImageError as error:
                yield error.problems[0]

    def _finish(self, result: Explanation | Inspection | Problem) -> Entry:
        if isinstance(result, Problem):
            row = make_row(result.path, problem=result.reason)
            return Entry(result.path, row, [], [], resized=False)
        if isinstance(result, Explanation):
            result = decide(result, self.session.task, self._known_point)
        regions = result.list_rows()
        row = describe_inspection(result, self._paint(result, regions))
        row |= self._watch.describe(result.image) if self._watch else {}
        tiles = [{"x": t.x, "y": t.y, **describe_verdict(t.verdict)} for t in result.tiles]
        resized = result.seen_size != result.size
        return Entry(result.path, row, regions, tiles, resized, result.constant)

    @property
    def _known_point(self) -> OperatingPoint:
        assert self.point is not None  # The first explanation has chosen it.
        return self.point

    def _paint(self, inspection: Inspection, regions: list[dict[str, Any]]) -> str | None:
        """Paint an inspection if it is chosen, and return the name of the picture."""
        if self.pictures is None or not self._choose(inspection):
            return None
        ratio = inspection.image.shape[1] / inspection.size[1]
        corners = ("x_min", "y_min", "x_max", "y_max")
        boxes = [
            tuple(row[name] * ratio for name in corners)
            for row in regions
            if row["label"] == inspection.shown
        ]
        title = say_verdict(inspection.verdict, inspection.shown)
        picture = paint_overlay(inspection.image, inspection.map, self._range, boxes, title)
        name = name_picture(inspection.path)
        write_png(self.pictures / name, picture, compress_level=1)
        return name


def map_ahead(
    function: Callable[[_Item], _Result], items: Iterable[_Item], ahead: int
) -> Iterator[_Result]:
    """Call a function with each item in threads, while the next items are made; keep the order.

    At most `ahead` results wait.

    Examples:
        >>> list(map_ahead(abs, [-2, 1], ahead=4))
        [2, 1]
    """
    waiting: deque[Future[_Result]] = deque()
    with ThreadPoolExecutor(_THREADS) as pool:
        for item in items:
            waiting.append(pool.submit(function, item))
            while len(waiting) > ahead or (waiting and waiting[0].done()):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _choose_range(run: Run, point: OperatingPoint | None) -> tuple[float, float]:
    """Return the values between which maps are coloured: sharp maps are no logits."""
    if point is None or point.scale != SHARP:
        return run.read_value_range()
    return 0.0, 2 * max([1.0, *point.map_thresholds.values()])
