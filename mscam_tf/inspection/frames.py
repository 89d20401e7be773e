"""Inspect frames of any size as overlapping tiles."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np

from mscam_tf.data.reading import Strips, open_strips
from mscam_tf.inspection.blending import Placed, blend_tiles
from mscam_tf.inspection.inspections import Inspection, Tile, Verdict, choose_shown, judge
from mscam_tf.inspection.thumbnails import Thumbnail
from mscam_tf.inspection.tiles import ExplainedTile, Framing, explain_tiles
from mscam_tf.localization import (
    Region,
    RegionStream,
    choose_point,
    estimate_size,
    measure_stride,
)
from mscam_tf.runs import SUM, Explanation, OperatingPoint, Session


def inspect_frame(
    session: Session,
    path: Path,
    point: OperatingPoint | None = None,
    framing: Framing | None = None,
) -> Inspection:
    """Inspect an image of any size, as overlapping tiles.

    The image is never resized. Each tile goes through the model as an image of its own, and so is
    standardised, and its local contrast taken, by itself: as in the training, if that was on
    patches of this size, such as `mscam tile` cuts. A frame that is smaller than a tile is filled
    up with the pixels of its edge, as there.

    The maps of the tiles are blended (`blend_tiles`), and the regions are those of the blended map:
    what lies across tiles is one region. The frame is rejected if one of its tiles is.

    The frame is read and decided from its top to its bottom. Memory is needed for about two rows of
    tiles, for what `mscam_tf.data.reading.open_strips` reads at once, and for a picture.

    Args:
        session: The run or the export.
        path: The image file.
        point: When a tile is rejected, and where maps are marked; by default that of the run.
        framing: How the frame is cut.

    Returns:
        The `Inspection`. Its regions have no share of a logit: each tile has logits of its own.

    Raises:
        ImageError: If the file cannot be read.
        MscamError: If the model does not take tiles of this size.
    """
    framing = framing or Framing()
    with open_strips(path, session.read) as strips:
        thumbnail = Thumbnail.of(strips.size)
        watched = Strips(strips.size, thumbnail.watch(strips.rows))
        tiles = explain_tiles(session, path, watched, framing)
        first = next(tiles)
        chosen = point or choose_point(session, first[2])
        frame = _Frame(session, chosen, strips.size, first[2])
        frame.add_tiles(chain([first], tiles))
    return replace(frame.decide(path, thumbnail.collect()), constant=thumbnail.constant)


def explain_frame(session: Session, path: Path, framing: Framing | None = None) -> np.ndarray:
    """Return the blended maps of all classes of a frame, `(H, W, C)`, in logits, in one piece.

    Args:
        session: The run or the export.
        path: The image file.
        framing: How the frame is cut.
    """
    framing = framing or Framing()
    with open_strips(path, session.read) as strips:
        tiles = explain_tiles(session, path, strips, framing)
        placed = ((x, y, explanation.maps) for x, y, explanation in tiles)
        tile_size = framing.tile_size or session.image_size
        return np.concatenate(list(blend_tiles(placed, strips.size, tile_size)))


class _Frame:
    """What becomes known of a frame, a row of tiles at a time."""

    def __init__(
        self, session: Session, point: OperatingPoint, size: tuple[int, int], first: Explanation
    ) -> None:
        self.task, self.point, self.size = session.task, point, size
        self.tile_size = first.image.shape
        known = first.cell_contributions and point.scale == SUM
        self.stride = measure_stride(first, point.scale) if known else 0.0
        self.names = first.class_names
        self.streams = {
            name: RegionStream(threshold, point.minimum_area)
            for name, threshold in point.map_thresholds.items()
        }
        self.found: dict[str, list[Region]] = {name: [] for name in self.streams}
        self.thumbnail = Thumbnail.of(size)
        self.tiles: list[Tile] = []

    def add_tiles(self, tiles: Iterator[ExplainedTile]) -> None:
        """Take all tiles of the frame."""
        for rows in blend_tiles(self._judge(tiles), self.size, self.tile_size):
            self.thumbnail.add(rows)
            for name, stream in self.streams.items():
                self.found[name] += stream.add(rows[..., self.names.index(name)])

    def _judge(self, tiles: Iterator[ExplainedTile]) -> Iterator[Placed]:
        for x, y, explanation in tiles:
            self.tiles.append(Tile(x, y, judge(self.task, explanation.logits, self.point)))
            yield x, y, self.point.take_maps(explanation)

    def decide(self, path: Path, image: np.ndarray) -> Inspection:
        """Decide on the frame once it has all tiles."""
        verdict = max((tile.verdict for tile in self.tiles), key=self._rank)
        shown = choose_shown(self.names, verdict.logits, self.point)
        regions = [one for name in self.streams for one in self._list_regions(name)]
        map_ = self.thumbnail.collect()[..., self.names.index(shown)]
        return Inspection(
            path, self.size, verdict, regions, image, map_, shown, self.size, self.tiles
        )

    def _rank(self, verdict: Verdict) -> float:
        """Return how bad a tile is; where nobody knows what is good, how sure its class is."""
        if verdict.score is not None:
            return verdict.score
        return float(self.task.activate(verdict.logits).max())

    def _list_regions(self, name: str) -> list[Region]:
        """Return the regions of a class, the one with the highest peak first."""
        found = sorted([*self.found[name], *self.streams[name].finish()], key=lambda r: -r.score)
        return [replace(region, label=name, size=self._estimate(region)) for region in found]

    def _estimate(self, region: Region) -> float:
        return estimate_size(region.size, self.stride) if self.stride else region.size
