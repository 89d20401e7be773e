"""How well do regions tell the size of an object? Simulated bones, and the pretrained maps.

python -m benchmarks.method.region_sizes [--images 300]
"""

import argparse
import itertools
from pathlib import Path

import numpy as np

from benchmarks.common.data import make_data
from benchmarks.common.report import write_page
from benchmarks.common.work import open_work

_SIDE, _OVERLAP = 128, 0.3
_CUTS = (0.0, 2.5, 5.5, np.inf)  # Pixels, of true widths.


def match_regions(explanation, numbers, widths):
    """Return for each region on one bone the bone's width, and what the region says of it."""
    from mscam_tf.localization import list_regions, measure_width
    from mscam_tf.runs import OperatingPoint

    bone = explanation.class_names.index("bone")
    biases = explanation.logits - explanation.contributions.sum(0)
    threshold = float(-biases[bone])
    rows = []
    for region in list_regions(explanation, OperatingPoint({"bone": threshold})):
        there = numbers[region.slices][region.mask]
        counts = np.bincount(there, minlength=len(widths) + 1)[1:]
        wholes = np.bincount(numbers.ravel(), minlength=len(widths) + 1)[1:]
        on = np.flatnonzero(counts >= _OVERLAP * np.minimum(wholes, region.area).clip(1))
        if len(on) == 1:
            heights = np.where(region.mask, explanation.maps[(*region.slices, bone)] - threshold, 0)
            disc = np.sqrt(4 * region.area / np.pi)
            width = measure_width(heights, region.mask)
            rows.append((widths[on[0]], disc, width, region.size))
    return rows


def measure(manifest):
    """Return the rows of all images: true width, disc of the area, width at half height, size."""
    from mscam_tf.data.labelling import measure_mask
    from mscam_tf.data.reading import number_objects, read_mask
    from mscam_tf.runs import open_pretrained, open_session

    session = open_session(open_pretrained((_SIDE, _SIDE)))
    rows = []
    for sample, explanation in zip(manifest.samples, session.explain(manifest.paths), strict=True):
        if sample.mask:
            mask = read_mask(manifest.root / sample.mask)
            rows += match_regions(explanation, number_objects(mask), measure_mask(mask))
    return np.array(rows)


def describe(true, estimated):
    """Say the median ratio, the share within a factor of two, and the mean error in pixels."""
    ratios = estimated / true
    near = np.abs(np.log(ratios)) < np.log(2)
    error = np.abs(estimated - true).mean()
    return f"{np.median(ratios):.2f} / {near.mean():.2f} / {error:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--work", type=Path, default=None)
    arguments = parser.parse_args()
    import mscam_tf

    work = open_work("region_sizes", arguments.work, images=arguments.images, side=_SIDE)
    rows = measure(mscam_tf.read_manifest(make_data(work / "data", arguments.images, seed=40)))
    true = rows[:, 0]
    groups = [(f"{low:g} to {high:g} px", (true >= low) & (true < high))
              for low, high in itertools.pairwise(_CUTS)]  # fmt: skip
    write_page(
        "region_sizes",
        "How well does a region tell the size of an object?",
        f"Regions of the class `bone` of the pretrained maps, from even odds on, on "
        f"{arguments.images} simulated radiographs of {_SIDE} x {_SIDE} pixels. A region counts "
        "where it lies on one bone, and the true size is the width of that bone's mask (the "
        "diameter of the largest disc inside). For three estimates, the median of the ratio to the "
        "true width, the share of regions that are within a factor of two, and the mean error in "
        "pixels: the disc of the region's area; its width at half height; and the size that "
        "`list_regions` gives, which is that width less the blur of the map.",
        ["true width", "regions", "disc of the area", "width at half height", "size"],
        [[name, int(chosen.sum()), *(describe(true[chosen], each[chosen]) for each in rows.T[1:])]
         for name, chosen in [*groups, ("all", true > 0)]],
        arguments=f"--images {arguments.images}",
    )  # fmt: skip


if __name__ == "__main__":
    main()
