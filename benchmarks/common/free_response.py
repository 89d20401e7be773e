"""Free response over films: which share of the boxes do marks on maps find, by size of the box?

Every film has a threshold of its own, at which there is one false mark a patch; marks are the local
maxima of a map (`mscam_tf.metrics.score_marks`). Differences are paired, over films.
"""

import itertools
from dataclasses import dataclass

import numpy as np

from mscam_tf.metrics import score_marks

SIZES = (12.5, 22.0)  # Pixels: between the thirds of the boxes' sides.


@dataclass(frozen=True)
class FilmMarks:
    """Of each box of a film its side and whether it is found."""

    film: str
    sides: np.ndarray
    found: np.ndarray


def mark_films(maps, boxes, films, rate=1.0):
    """Return the `FilmMarks` of each film; maps and boxes `(n, 4)` are those of its patches."""
    return [
        mark_film(
            str(film),
            [maps[i] for i in np.flatnonzero(films == film)],
            [boxes[i] for i in np.flatnonzero(films == film)],
            rate,
        )
        for film in np.unique(films)
    ]


def mark_film(film, maps, boxes, rate=1.0):
    """Return which boxes the maps of a film's patches find."""
    response = score_marks(maps, boxes)
    corners = np.concatenate(boxes)
    sides = np.sqrt((corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1]))
    return FilmMarks(film, sides, response.objects > response.find_threshold(rate))


def share_found(marks, low=0.0, high=np.inf):
    """Return the share of all boxes with sides from `low` to below `high` that are found."""
    sides = np.concatenate([one.sides for one in marks])
    found = np.concatenate([one.found for one in marks])
    chosen = (sides >= low) & (sides < high)
    return float(found[chosen].mean()) if chosen.any() else float("nan")


def share_by_size(marks):
    """Return the share found of small, middle and large boxes."""
    edges = (0.0, *SIZES, np.inf)
    return [share_found(marks, *pair) for pair in itertools.pairwise(edges)]


def compare(marks, others, high=np.inf, resamples=10_000, seed=0):
    """Return the difference of the shares found, and its 95 % interval over films.

    Films are drawn with replacement, for both alike.
    """
    measured = [np.array([_count(one, high) for one in side]) for side in (marks, others)]
    number = len(marks)
    draws = np.random.default_rng(seed).integers(number, size=(resamples, number))
    found, base = (counts[draws].sum(1) for counts in measured)
    differences = found[:, 0] / found[:, 1] - base[:, 0] / base[:, 1]
    whole = share_found(marks, high=high) - share_found(others, high=high)
    return whole, *np.nanpercentile(differences, [2.5, 97.5])


def _count(one, high):
    chosen = one.sides < high
    return one.found[chosen].sum(), chosen.sum()
