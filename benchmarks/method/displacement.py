"""Are the maps of the pretrained weights where things are? Objects at known places, by scale.

    python -m benchmarks.method.displacement [--objects 300]

An object is added to an empty scene, and what it changes in a map is looked at: its region has a
centre, and that has an offset from the object's own. The same is done with the mirrored images:
half the difference of the two offsets is how far the map is shifted, whatever the object and the
scene are.
"""

import argparse
from dataclasses import dataclass

import numpy as np

from benchmarks.common.report import make_table, write_page

_SIDE, _SMALL, _BATCH = 160, 6.0, 8
_EDGE, _FEWEST = 16, 10  # Pixels from the left edge; objects that a row needs.
_STRIDES = {"scale1_maps": 4, "scale2_maps": 8, "scale3_maps": 16, "scale4_maps": 32, "maps": 4}
_MIRROR = (slice(None), slice(None, None, -1), slice(None, None, -1))


@dataclass(frozen=True)
class Marked:
    """An object in a scene: its centre in pixels, its diameter, and its target."""

    center: tuple[float, float]
    diameter: float
    bright: bool

    @property
    def target(self) -> str:
        kind = "dense" if self.bright else "void"
        return f"{kind}_{'small' if self.diameter < _SMALL else 'large'}"


def draw_scene(generator):
    """Simulate a scene with nothing in it."""
    from mscam_tf.simulation import simulate_scene

    while True:
        scene = simulate_scene((_SIDE, _SIDE), generator)
        if not scene.masks and not scene.hidden:
            return scene.image


def add_object(image, generator, columns=(0.3 * _SIDE, 0.7 * _SIDE)):
    """Add a round object with soft edges, brighter or darker than what is around it."""
    x, y = generator.uniform(*columns), generator.uniform(0.3 * _SIDE, 0.7 * _SIDE)
    diameter = float(np.exp(generator.uniform(np.log(3), np.log(12))))
    bright = bool(generator.random() < 0.5)
    contrast = generator.uniform(0.08, 0.3) * (1 if bright else -1)
    places = np.arange(_SIDE) + 0.5
    squared = np.add.outer((places - y) ** 2, (places - x) ** 2)
    shadow = np.exp(-squared / 2 / (diameter / 2.8) ** 2)
    shown = np.clip(image + contrast * shadow, 0, 1)
    return shown.astype(np.float32), Marked((x, y), diameter, bright)


def find_offset(change, center, stride):
    """Return how far the region of a change lies from the object, `(x, y)`; `None` without one."""
    from mscam_tf import find_regions

    x, y = center
    reach = max(stride, 6)
    rows, columns = (slice(int(v) - reach, int(v) + reach + 1) for v in (y, x))
    peak = float(change[rows, columns].max())
    if peak < 1:  # It hardly responds.
        return None
    for region in find_regions(change, peak / 2):
        box = region.box
        inside = min(box.x_min, box.y_min) > 0 and max(box.x_max, box.y_max) < _SIDE
        near = np.hypot(region.peak[0] - x, region.peak[1] - y) <= reach * np.sqrt(2)
        if near and inside and region.score == peak:
            return np.array(region.center) - center
    return None


def find_at_edge(change, center, stride):
    """Return how far along x a region that the left edge cuts off lies from its object.

    Given are the offset of what is seen of it, and that of the centre of `find_regions`; `None`
    where the edge cuts nothing off.
    """
    from mscam_tf import find_regions

    x, y = center
    reach = max(stride, 6)
    near = change[int(y) - reach : int(y) + reach + 1, max(int(x) - reach, 0) : int(x) + reach + 1]
    peak = float(near.max())
    if peak < 1:
        return None
    for region in find_regions(change, peak / 2):
        box = region.box
        cut = box.x_min == 0 < box.y_min and max(box.x_max, box.y_max) < _SIDE
        if region.score == peak and cut:
            seen = np.where(region.mask, change[region.slices], 0)
            (alone,) = find_regions(seen, peak / 2)  # It fills this map: no edge cuts it off.
            return alone.center[0] - x, region.center[0] - x
    return None


def measure_edge(explainer, count, generator):
    """Return the rows of a table of objects whose centre is within a cell of the left edge."""
    from mscam_tf.simulation import TARGETS

    rows = []
    empty = np.stack([draw_scene(generator) for _ in range(count)])
    added = [add_object(image, generator, (0, _EDGE)) for image in empty]
    shown, objects = np.stack([image for image, _ in added]), [one for _, one in added]
    indices = np.array([TARGETS.index(one.target) for one in objects])
    without, with_it = (explain(explainer, images, indices) for images in (empty, shown))
    for key, stride in _STRIDES.items():
        pairs = zip(with_it[key] - without[key], objects, strict=True)
        found = [find_at_edge(m, one.center, stride) for m, one in pairs if one.center[0] < stride]
        offsets = np.array([one for one in found if one is not None]).reshape(-1, 2).T
        if offsets.shape[1] >= _FEWEST:
            distances = np.median(np.abs(offsets), axis=1)
            cells = [f"{v.mean():+.1f} / {m:.1f}" for v, m in zip(offsets, distances, strict=True)]
            name = "sum" if key == "maps" else key.removesuffix("_maps")
            rows.append([name, stride, offsets.shape[1], *cells])
    return rows


def measure(changes, mirrored, objects, stride):
    """Return the offsets of all objects, and the shifts of those with both, `(n, 2)` each."""
    offsets, shifts = [], []
    for change, turned, one in zip(changes, mirrored, objects, strict=True):
        found, back = (find_offset(each, one.center, stride) for each in (change, turned))
        if found is not None:
            offsets.append(found)
            shifts += [] if back is None else [(found - back) / 2]
    return np.array(offsets), np.array(shifts)


def explain(explainer, images, indices):
    """Return the map of one target of each image, for each scale and their sum."""
    parts = []
    for first in range(0, len(images), _BATCH):
        batch = slice(first, first + _BATCH)
        outputs = explainer.predict_on_batch(images[batch, ..., None])
        chosen = indices[batch, None, None, None]
        parts.append(
            {
                name: np.take_along_axis(np.asarray(values), chosen, -1)[..., 0]
                for name, values in outputs.items()
                if name.endswith("maps")
            }
        )
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def describe(values):
    """Say the mean along x and y, with the half width of its 95 % interval."""
    half = 1.96 * values.std(0, ddof=1) / np.sqrt(len(values))
    return [f"{mean:+.2f} ± {side:.2f}" for mean, side in zip(values.mean(0), half, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=300)
    parser.add_argument("--edge", type=int, default=120, help="objects at the left edge")
    arguments = parser.parse_args()
    import mscam_tf
    from mscam_tf.simulation import TARGETS

    generator = np.random.default_rng(7)
    empty = np.stack([draw_scene(generator) for _ in range(arguments.objects)])
    shown, objects = zip(*(add_object(image, generator) for image in empty), strict=True)
    model = mscam_tf.build_pretrained_classifier((_SIDE, _SIDE))
    explainer = mscam_tf.build_explainer(model, scale_maps=True)
    indices = np.array([TARGETS.index(one.target) for one in objects])
    shown, rows = np.stack(shown), []
    sides = [(empty, shown), (empty[_MIRROR], shown[_MIRROR])]
    maps = [[explain(explainer, images, indices) for images in pair] for pair in sides]
    for key, stride in _STRIDES.items():
        plain, turned = (with_it[key] - without[key] for without, with_it in maps)
        offsets, shifts = measure(plain, turned[_MIRROR], objects, stride)
        distance = np.median(np.hypot(*offsets.T))
        name = "sum" if key == "maps" else key.removesuffix("_maps")
        rows.append([name, stride, len(offsets), *describe(offsets), f"{distance:.1f}",
                     len(shifts), *describe(shifts)])  # fmt: skip
    edge = measure_edge(explainer, arguments.edge, np.random.default_rng(11))
    columns = ["map", "stride", "objects", "centre of what is seen", "centre of the whole"]
    write_page(
        "displacement",
        "Are the maps where things are?",
        f"The weights `xray`, and {arguments.objects} round objects with soft edges, of 3 to 12 "
        f"pixels, added to empty simulated scenes of {_SIDE} x {_SIDE} pixels at random places "
        "between pixels. What the object changes in the map of its target (dense or void, small "
        "or large) has a region, at half of its peak, and its centre an offset from the object's "
        "(`x` to the right, `y` down, pixels; means with 95 % intervals, and the median distance). "
        "The same with mirrored images tells what the map alone does: the shift is half of the "
        "difference. An object counts where the map changes by 1 logit near it, and its region "
        "does not reach the edge.",
        ["map", "stride", "objects", "offset x", "offset y", "distance", "pairs", "shift x",
         "shift y"],
        rows,
        arguments=f"--objects {arguments.objects} --edge {arguments.edge}",
        more=f"Of {arguments.edge} other objects, with their centre at most {_EDGE} pixels from "
        "the left edge, those within a cell of it whose region at half of its peak that edge alone "
        "cuts off: mean offset along x, and median distance, in pixels, of the centre of what is "
        f"seen, and of `Region.complete`.\n\n{make_table(columns, edge)}",
    )  # fmt: skip


if __name__ == "__main__":
    main()
