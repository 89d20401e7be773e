"""Which classes are taken for which, collected in one pass over the images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mscam_tf.analysis.confusions import Confusion, ImageOverlap
from mscam_tf.analysis.overlaps import measure_all, open_exclusive
from mscam_tf.analysis.sampling import MapSample
from mscam_tf.data.manifests import Manifest
from mscam_tf.data.reading import Problem
from mscam_tf.metrics import center_maps
from mscam_tf.runs import Explanation, Run, Session

_KEPT = 5  # Images of each confusion whose maps are kept: the most certain errors.


@dataclass(frozen=True)
class Collection:
    """The confusions of a run, and what they were found in.

    Attributes:
        confusions: Those that occur, the class that is confused most often first.
        images: The labelled images.
        unlabelled: The others.
        sample: Maps of some of the labelled images.
        problems: The images that cannot be read.
    """

    confusions: list[Confusion]
    images: list[ImageOverlap]
    unlabelled: list[ImageOverlap]
    sample: MapSample
    problems: list[Problem]


def find_confusions(
    run: Run | Session,
    manifest: Manifest,
    *,
    unlabelled: Sequence[Path] = (),
    threshold: float | np.ndarray | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> tuple[list[Confusion], list[ImageOverlap]]:
    """Find which classes are taken for each other, and how their maps overlap there.

    Args:
        run: A finished run, or a session of it.
        manifest: Labelled images that it was not trained on.
        unlabelled: More images.
        threshold: As for `measure_overlaps`; by default fitted to the labelled images.
        on_progress: Called with 1 after each image.

    Returns:
        The confusions that occur, the class that is confused most often first; and all images,
        those without a label last.

    Raises:
        ImageError: If images cannot be read.
        RunError: If the run tells several findings in one image.

    References:
        Lee and Cho, 2021, section 4.3.
    """
    found = collect_confusions(
        run, manifest, unlabelled=unlabelled, threshold=threshold, on_progress=on_progress
    )
    return found.confusions, found.images + found.unlabelled


def collect_confusions(
    run: Run | Session,
    manifest: Manifest,
    *,
    unlabelled: Sequence[Path] = (),
    threshold: float | np.ndarray | None = None,
    on_progress: Callable[[int], None] | None = None,
    skip_bad: bool = False,
) -> Collection:
    """Do what `find_confusions` does, and return all that the pass has seen."""
    session, count = open_exclusive(run), len(manifest.samples)
    evidence = _Evidence(session.task.class_names)

    def collect(one: ImageOverlap, explanation: Explanation) -> None:
        evidence.add(one, explanation)
        if on_progress is not None:
            on_progress(1)

    measured = measure_all(
        session,
        [*manifest.paths, *unlabelled],
        [sample.label for sample in manifest.samples] + [""] * len(unlabelled),
        [sample.group for sample in manifest.samples] + [str(path) for path in unlabelled],
        sampled=count,
        threshold=threshold,
        on_image=collect,
        skip_bad=skip_bad,
    )
    parts: tuple[list[ImageOverlap], list[ImageOverlap]] = ([], [])
    for index, one in measured.images.items():
        parts[index >= count].append(one)
    confusions = evidence.make_confusions(parts[0])
    return Collection(confusions, *parts, measured.sample, measured.problems)


class _Evidence:
    """The maps of the images that were taken for another class: their sum, and the worst."""

    def __init__(self, class_names: Sequence[str]) -> None:
        self._index = {name: index for index, name in enumerate(class_names)}
        self._sums: dict[tuple[str, str], np.ndarray] = {}
        self._worst: dict[tuple[str, str], list[tuple[float, np.ndarray]]] = {}

    def add(self, one: ImageOverlap, explanation: Explanation) -> None:
        """Add an image, if it is labelled and was taken for another class."""
        if not one.label or one.first == one.label:
            return
        pair = (one.label, one.first)
        stack = stack_evidence(explanation, *map(self._index.__getitem__, pair))
        self._sums[pair] = self._sums.get(pair, 0) + stack
        kept = [*self._worst.get(pair, []), (one.margin, stack)]
        self._worst[pair] = sorted(kept, key=lambda item: -item[0])[:_KEPT]

    def make_confusions(self, images: Sequence[ImageOverlap]) -> list[Confusion]:
        """Make the confusions of labelled images, the class confused most often first."""
        confusions = [
            _make_confusion(pair, images, total, [stack for _, stack in self._worst[pair]])
            for pair, total in self._sums.items()
        ]
        return sorted(confusions, key=lambda found: (-found.rate, -len(found.images)))


def stack_evidence(explanation: Explanation, first: int, second: int) -> np.ndarray:
    """Return an image, the maps of two classes, and the positive evidence they share, `(H, W, 4)`.

    The maps are relative to the mean over the classes. The shared evidence of a place is the
    smaller of the two there, or zero: where it is large, both lay claim to the same place.
    """
    maps = center_maps(explanation.maps)
    one, other = maps[..., first], maps[..., second]
    shared = np.maximum(np.minimum(one, other), 0)
    return np.stack([explanation.image, one, other, shared], axis=-1)


def _make_confusion(
    pair: tuple[str, str],
    images: Sequence[ImageOverlap],
    total: np.ndarray,
    stacks: list[np.ndarray],
) -> Confusion:
    wrong = [image for image in images if (image.label, image.first) == pair]
    right, like = ([one for one in images if one.label == one.first == name] for name in pair)
    wrong.sort(key=lambda image: -image.margin)
    count = sum(image.label == pair[0] for image in images)
    return Confusion(*pair, wrong, right, like, count, total / len(wrong), stacks)
