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

_SIDE, _OVERLAP, _MARKED = 128, 0.3, 0.05
_CUTS = (0.0, 2.5, 5.5, np.inf)  # Pixels, of true widths.
_MAPS = {"sum": "sum", "stride 4 alone": 1, "sharp": "sharp"}


def find_biases(explanation):
    return explanation.logits - explanation.contributions.sum(0)


def choose_points(explanations, manifest):
    """Return operating points by name: from even odds on, or where 5 % of images of none are."""
    from mscam_tf.runs import OperatingPoint

    bone = explanations[0].class_names.index("bone")
    empty = [one for one, s in zip(explanations, manifest.samples, strict=True) if not s.mask]
    even = float(-find_biases(explanations[0])[bone])
    points = {"sum, even odds": OperatingPoint({"bone": even})}
    for name, scale in _MAPS.items():
        draft = OperatingPoint({}, scale=scale)
        highest = [float(draft.take_maps(one)[..., bone].max()) for one in empty]
        threshold = float(np.quantile(highest, 1 - _MARKED))
        points[name] = OperatingPoint({"bone": threshold}, scale=scale)
    return points


def match_regions(explanation, point, numbers, widths):
    """Return for each region on one bone the bone's width, and what the region says of it."""
    from mscam_tf.localization import list_regions, measure_width

    bone, threshold = explanation.class_names.index("bone"), point.map_thresholds["bone"]
    above = point.take_maps(explanation)[..., bone] - threshold
    rows = []
    for region in list_regions(explanation, point):
        there = numbers[region.slices][region.mask]
        counts = np.bincount(there, minlength=len(widths) + 1)[1:]
        wholes = np.bincount(numbers.ravel(), minlength=len(widths) + 1)[1:]
        on = np.flatnonzero(counts >= _OVERLAP * np.minimum(wholes, region.area).clip(1))
        if len(on) == 1:
            heights = np.where(region.mask, above[region.slices], 0)
            disc = np.sqrt(4 * region.area / np.pi)
            width = measure_width(heights, region.mask)
            rows.append((widths[on[0]], disc, width, region.size))
    return rows


def measure(manifest):
    """Return by kind of map the rows of all images: true width, disc, width at half, size."""
    from mscam_tf.data.labelling import measure_mask
    from mscam_tf.data.reading import number_objects, read_mask
    from mscam_tf.runs import open_pretrained, open_session

    session = open_session(open_pretrained((_SIDE, _SIDE)))
    explanations = list(session.explain(manifest.paths))
    points = choose_points(explanations, manifest)
    rows = {name: [] for name in points}
    for sample, explanation in zip(manifest.samples, explanations, strict=True):
        if sample.mask:
            mask = read_mask(manifest.root / sample.mask)
            numbers, widths = number_objects(mask), measure_mask(mask)
            for name, point in points.items():
                rows[name] += match_regions(explanation, point, numbers, widths)
    return {name: np.array(found) for name, found in rows.items()}


def describe(true, estimated):
    """Say the median ratio, the share within a factor of two, and the mean error in pixels."""
    ratios = estimated / true
    near = np.abs(np.log(ratios)) < np.log(2)
    error = np.abs(estimated - true).mean()
    return f"{np.median(ratios):.2f} / {near.mean():.2f} / {error:.1f}"


def describe_all(name, rows):
    """Return the rows of the page for one kind of map, by the true width."""
    groups = [*itertools.pairwise(_CUTS), (_CUTS[0], _CUTS[-1])]
    for low, high in groups:
        true, *estimates = rows[(rows[:, 0] >= low) & (rows[:, 0] < high)].T
        width = f"{low:g} to {high:g} px" if (low, high) != groups[-1] else "all"
        yield [name, width, len(true), *(describe(true, each) for each in estimates)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--seed", type=int, default=40)
    parser.add_argument("--work", type=Path, default=None)
    arguments = parser.parse_args()
    import mscam_tf

    settings = {"images": arguments.images, "seed": arguments.seed, "side": _SIDE}
    work = open_work("region_sizes", arguments.work, **settings)
    data = make_data(work / "data", arguments.images, seed=arguments.seed)
    found = measure(mscam_tf.read_manifest(data))
    write_page(
        "region_sizes",
        "How well does a region tell the size of an object?",
        f"Regions of the class `bone` of the pretrained maps, on {arguments.images} simulated "
        f"radiographs of {_SIDE} x {_SIDE} pixels: of the sum of the scales from even odds on, and "
        "of the sum, of the scale of stride 4 alone and of sharp maps from where "
        f"{_MARKED:.0%} of the images without bones have one. A region counts where it lies on one "
        "bone, and the true size is the width of that bone's mask (the "
        "diameter of the largest disc inside). For three estimates, the median of the ratio to the "
        "true width, the share of regions that are within a factor of two, and the mean error in "
        "pixels: the disc of the region's area; its width at half height; and the size that "
        "`list_regions` gives.",
        ["map", "true width", "regions", "disc of the area", "width at half height", "size"],
        [row for name, rows in found.items() for row in describe_all(name, rows)],
        arguments=f"--images {arguments.images} --seed {arguments.seed}",
    )


if __name__ == "__main__":
    main()
