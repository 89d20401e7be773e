"""Compare maps of the same images: each kind scored alike, differences paired over groups."""

import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

import mscam_tf
from benchmarks.common.attribution import BATCH, FIRST
from benchmarks.common.report import make_table
from mscam_tf.evaluation import (
    MapScore,
    MapScores,
    MarkedImage,
    name_sizes,
    read_marked_images,
    score_map,
)

MEASURES = {
    "MaxBoxAccV2": ("max_box_acc_v2", "all"),
    "PxAP": ("pxap", "all"),
    "found": ("found", "all"),
    "found, smallest": ("found", "smallest"),
    "pointing": ("pointing", "all"),
}
HEADER = ["map", *MEASURES]
_THRESHOLDS = (12.5, 22.0)  # Sides in pixels.


@dataclass(frozen=True)
class MarkedSet:
    """Images with what is marked in them, their labels and their groups."""

    images: np.ndarray
    objects: Sequence[MarkedImage]
    labels: np.ndarray
    groups: np.ndarray

    @classmethod
    def read(cls, manifest, image_size: tuple[int, int]) -> "MarkedSet":
        from mscam_tf.data.reading import resize_image

        manifest, objects, _ = read_marked_images(manifest, image_size, mscam_tf.ReadOptions())
        read = (mscam_tf.read_image(path) for path in manifest.paths)
        images = np.stack([resize_image(image, image_size) for image in read])[..., None]
        labels = np.array([sample.label for sample in manifest.samples])
        groups = np.array([sample.group for sample in manifest.samples])
        return cls(images.astype(np.float32), objects, labels, groups)

    @cached_property
    def masks(self) -> list[np.ndarray]:
        return [one.paint() for one in self.objects]

    def score(self, maps: Sequence[np.ndarray], rows: np.ndarray) -> list[MapScore]:
        """Score the maps of some of the images."""
        pairs = zip(maps, rows, strict=True)
        return [score_map(one, self.objects[k], self.masks[k]) for one, k in pairs]


def recall(path: Path, make: Callable[[], Any]) -> Any:
    """Return what an earlier call kept in a file of the work folder, or make and keep it."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_bytes(pickle.dumps(make()))
        partial.replace(path)
    return pickle.loads(path.read_bytes())


class Comparison:
    """Scores of several kinds of maps, over the same resamples of groups.

    Args:
        scores: For each kind of map, its scores with each seed.
        groups: The group of each image.
        resamples: How many draws of whole groups.
    """

    def __init__(
        self,
        scores: Mapping[str, Sequence[MapScores]],
        groups: np.ndarray,
        resamples: int = 1000,
    ) -> None:
        sizes = name_sizes(_THRESHOLDS)
        self.limits = {"all": sizes["all"], "smallest": sizes[f"< {_THRESHOLDS[0]:g}"]}
        self.scores, self.draws = scores, [np.arange(len(groups))]
        members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
        generator = np.random.default_rng(0)
        for _ in range(resamples):
            drawn = generator.integers(len(members), size=len(members))
            self.draws.append(np.concatenate([members[k] for k in drawn]))

    @cached_property
    def values(self) -> dict[str, dict[str, np.ndarray]]:
        """Of each measure and kind of map: the value, and then that of each resample."""
        return {
            shown: {kind: self._measure(kind, *measure) for kind in self.scores}
            for shown, measure in MEASURES.items()
        }

    def _measure(self, kind: str, name: str, size: str) -> np.ndarray:
        limits = self.limits[size]
        seeds = [
            [one.measure(name, limits, rows) for rows in self.draws] for one in self.scores[kind]
        ]
        return np.mean(seeds, axis=0)

    def list_values(self) -> list[list[str]]:
        """Return a row of each kind of map: its values with their 95 % intervals."""
        return [
            [kind, *(_describe(values[kind], "") for values in self.values.values())]
            for kind in self.scores
        ]

    def list_gains(self, first: str) -> list[list[str]]:
        """Return a row of each other kind of map: how much better the first is, with intervals."""
        return [
            [kind, *(_describe(v[first] - v[kind], "+") for v in self.values.values())]
            for kind in self.scores
            if kind != first
        ]

    def name_best(self) -> dict[str, str]:
        """Return the best kind of map by each measure."""
        return {
            shown: max(values, key=lambda kind, values=values: values[kind][0])
            for shown, values in self.values.items()
        }


def _describe(values: np.ndarray, sign: str) -> str:
    low, high = np.nanpercentile(values[1:], [2.5, 97.5])
    return f"{values[0]:{sign}.3f} [{low:{sign}.3f}, {high:{sign}.3f}]"


def score_passes(attributor, marked: MarkedSet, rows, folder: Path, without) -> dict:
    """Return the scores of each kind of map on some of the images."""
    found = {}
    for names, make in attributor.passes.items():
        if set(names) <= set(without):
            continue
        files = {name: folder / f"{name}.pkl" for name in names}
        if not all(path.exists() for path in files.values()):
            print(folder.name, *names, sep=", ", flush=True)
            images = marked.images[rows]
            parts = [make(images[k : k + BATCH]) for k in range(0, len(images), BATCH)]
            for path, *maps in zip(files.values(), *parts, strict=True):
                joined = np.concatenate(maps)
                recall(path, partial(marked.score, joined, rows))
        found |= {name: recall(path, list) for name, path in files.items()}
    return found


def compare(seeds: list[dict], marked: MarkedSet) -> Comparison:
    """Compare the scores of each kind of map, with each seed."""
    scores = {
        name: [MapScores(marked.objects, found[name]) for found in seeds] for name in seeds[0]
    }
    return Comparison(scores, marked.groups)


def describe_gains(comparison: Comparison, kinds: Sequence[str] = (FIRST,)) -> str:
    """Say who is first, and how much better some kinds of maps are than each other one."""
    best = "; ".join(f"{shown}: {name}" for shown, name in comparison.name_best().items())
    tables = (
        f"How much better the {kind} is, paired:\n\n"
        f"{make_table(HEADER, comparison.list_gains(kind))}"
        for kind in kinds
    )
    return "\n\n".join((f"First are: {best}.", *tables))
