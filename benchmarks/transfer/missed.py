"""Which boxes on weld films are missed? By what can be seen in them, and where they lie.

    mscam tile FILMS --boxes boxes.csv --masks masks --overlap 0.25 --empty 1 --out PATCHES
    python -m benchmarks.transfer.missed PATCHES/manifest.csv

The pretrained classifier explains the patches, and nothing is trained. Sharp maps, and the filter
for dark spots, are asked which boxes they find.
"""

import argparse
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter

import mscam_tf
from benchmarks.common.box_scores import find_odds
from benchmarks.common.films import Patches, read_patches
from benchmarks.common.free_response import SIZES, mark_films
from benchmarks.common.networks import ZeroShot
from benchmarks.common.report import write_page
from mscam_tf.metrics import find_spots, sharpen_maps

_RING, _GRAIN = 4, 2.0  # Pixels: the surroundings of a box, and what is finer than any defect.
_PARTS = 4
_NAMES = (
    f"below {SIZES[0]:g} px",
    f"{SIZES[0]:g} to {SIZES[1]:g} px",
    f"{SIZES[1]:g} px and more",
)


def measure_contrast(image: np.ndarray, box: np.ndarray) -> float:
    """Return how far a box differs from its surroundings, in deviations of the noise there.

    Its darkest or brightest twentieth, after smoothing by a pixel, less the median of a ring of
    four pixels around it. The noise is what a Gaussian of two pixels takes away, by its median
    absolute deviation.
    """
    height, width = image.shape
    x_min, y_min, x_max, y_max = (int(v) for v in (*np.floor(box[:2]), *np.ceil(box[2:])))
    rows = slice(max(0, y_min - _RING), min(height, y_max + _RING))
    columns = slice(max(0, x_min - _RING), min(width, x_max + _RING))
    around = np.ones(image.shape, bool)
    around[y_min:y_max, x_min:x_max] = False
    ring = image[rows, columns][around[rows, columns]]
    if not ring.size:
        return np.nan
    grain = (image - gaussian_filter(image, _GRAIN))[rows, columns]
    noise = 1.4826 * np.median(np.abs(grain - np.median(grain)))
    inside = np.percentile(gaussian_filter(image, 1)[y_min:y_max, x_min:x_max], [5, 95])
    return float(np.abs(inside - np.median(ring)).max() / max(noise, 1e-6))


def explain(patches: Patches, weights: str) -> dict[str, np.ndarray]:
    """Return maps of the pretrained classifier, and of what learned nothing."""
    maps = ZeroShot(weights, patches.images.shape[1], 2).explain(patches.images)["sum"]
    odds = find_odds(maps, np.array([False, True]))
    sharp = [sharpen_maps(*pair) for pair in zip(odds, patches.images, strict=True)]
    spots = [find_spots(image, sigma=4) for image in patches.images]
    return {"sharp map": np.stack(sharp), "filter, s = 4": np.stack(spots)}


def find(patches: Patches, maps: np.ndarray) -> np.ndarray:
    """Return of every box, film after film, whether it is found."""
    return np.concatenate([one.found for one in mark_films(maps, patches.boxes, patches.films)])


def describe_boxes(patches: Patches) -> dict[str, np.ndarray]:
    """Return side, contrast, and whether the edge of the patch cuts it, of every box."""
    order = np.concatenate([np.flatnonzero(patches.films == f) for f in np.unique(patches.films)])
    pairs = [(patches.images[i], box) for i in order for box in patches.boxes[i]]
    corners = np.array([box for _, box in pairs])
    sides = np.sqrt((corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1]))
    height, width = patches.images.shape[1:]
    room = np.c_[corners[:, :2], width - corners[:, 2], height - corners[:, 3]].min(1)
    contrast = np.array([measure_contrast(*pair) for pair in pairs])
    return {"size": np.digitize(sides, SIZES), "contrast": contrast, "cut": room < 1}


def tabulate(boxes: dict[str, np.ndarray], found: dict[str, np.ndarray]) -> list[list[object]]:
    """Make a row for all boxes, for those that are cut or whole, and for each part of a size."""
    every = np.ones(len(boxes["cut"]), bool)
    chosen = [("all", every), ("cut by the edge of the patch", boxes["cut"])]
    chosen += [("whole", ~boxes["cut"])]
    for size, name in enumerate(_NAMES):
        own = (boxes["size"] == size) & ~boxes["cut"] & np.isfinite(boxes["contrast"])
        edges = np.quantile(boxes["contrast"][own], np.linspace(0, 1, _PARTS + 1))
        parts = np.digitize(boxes["contrast"], edges[1:-1])
        for part in range(_PARTS):
            low, high = edges[part : part + 2]
            label = f"whole, {name}, contrast {low:.1f} to {high:.1f}"
            chosen.append((label, own & (parts == part)))
    return [
        [name, int(rows.sum()), *(f"{hits[rows].mean():.2f}" for hits in found.values())]
        for name, rows in chosen
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--weights", default="xray")
    arguments = parser.parse_args()
    patches = read_patches(mscam_tf.read_manifest(arguments.manifest))
    found = {name: find(patches, m) for name, m in explain(patches, arguments.weights).items()}
    write_page(
        "welds_missed",
        "Which boxes on weld films are missed?",
        f"{len(patches.images)} patches of weld films of 224 x 224 pixels, and the pretrained "
        f"classifier `{arguments.weights}`, which has seen none of them. Share of the boxes with a "
        "mark at one false mark a patch, as in {doc}`welds_tuned`; each film has a threshold of "
        "its own. `contrast` is how far the darkest or brightest twentieth of a box is from the "
        f"median of a ring of {_RING} pixels around it, in deviations of the film's grain; "
        "of the boxes of a size, each row has a quarter.",
        ["boxes", "number", *found],
        tabulate(describe_boxes(patches), found),
        arguments=f"PATCHES/{arguments.manifest.name} --weights {arguments.weights}",
    )


if __name__ == "__main__":
    main()
