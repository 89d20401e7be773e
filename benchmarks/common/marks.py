"""Keep which boxes the maps of models find on films, and compare that with filters."""

from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.common.free_response import (
    SIZES,
    FilmMarks,
    compare,
    mark_film,
    mark_films,
    share_by_size,
    share_found,
)
from benchmarks.common.report import make_table
from benchmarks.common.work import append_rows, read_rows
from mscam_tf.metrics import find_spots

KEY = ("model", "start", "seed", "film")
# Maps that nobody learned: by the deviation of the local normalisation, in pixels.
FILTERS = {f"filter, s = {s}": partial(find_spots, sigma=s) for s in (12, 8, 4)}
_FILE = "boxes.csv"
_TEXT = """## Which boxes are found

Share of the boxes on which the map has a mark (a local maximum over 15 pixels, within 3 pixels of
the box) at one false mark a patch, over all and by the box's side: below 12.5 pixels, below 22,
above. The map is the log-odds of any defect at each place; each film has a threshold of its own.
`filter` is a difference of Gaussians (2 and 8 pixels) of the image after local contrast
normalisation with a deviation of s pixels: nothing is learned. Gains over the best of these are
paired, with 95 % intervals over the films.
"""


def write_marks(work: Path, key: tuple[str, ...], maps, boxes) -> None:
    """Add which boxes of a film the maps of its patches find; the key has the values of `KEY`."""
    marks = mark_film(key[-1], maps, boxes)
    rows = zip(marks.sides, marks.found, strict=True)
    append_rows(
        work / _FILE,
        (*KEY, "side", "found"),
        [(*key, f"{side:.2f}", int(hit)) for side, hit in rows],
    )


def read_marks(work: Path) -> dict[tuple[str, str], list[FilmMarks]]:
    """Return the marks of each model and start, by film, of all seeds together."""
    found: dict[tuple[str, str], dict[str, list[tuple[float, bool]]]] = {}
    for row in read_rows(work / _FILE):
        films = found.setdefault((row["model"], row["start"]), {})
        boxes = films.setdefault(row["film"], [])
        boxes.append((float(row["side"]), row["found"] == "1"))
    return {
        key: [
            FilmMarks(film, *(np.array(part) for part in zip(*films[film], strict=True)))
            for film in sorted(films)
        ]
        for key, films in found.items()
    }


def describe_marks(work: Path, images, boxes, films) -> str:
    """Return a section of a page: the boxes found, and how many more these are than a filter's."""
    filters = {
        name: mark_films([find(image) for image in images], boxes, films)
        for name, find in FILTERS.items()
    }
    best = max(filters.values(), key=share_found)
    rows = [[name, "", *_list_shares(found), "", ""] for name, found in filters.items()]
    for key, found in read_marks(work).items():
        gains = [_compare(found, best, high) for high in (np.inf, SIZES[0])]
        rows.append([*key, *_list_shares(found), *gains])
    header = ["map", "start", "found", "by size", "gain over the best filter", "below 12.5 px"]
    return _TEXT + "\n" + make_table(header, rows)


def _compare(found: list[FilmMarks], others: list[FilmMarks], high: float) -> str:
    if len(found) != len(others):  # Some films are still to come.
        return ""
    return "{:+.2f} [{:+.2f}, {:+.2f}]".format(*compare(found, others, high))


def _list_shares(found: list[FilmMarks]) -> list[str]:
    by_size = " / ".join(f"{share:.2f}" for share in share_by_size(found))
    return [f"{share_found(found):.3f}", by_size]
