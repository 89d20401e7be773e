"""Write data sets of simulated radiographs; the same seed gives the same bytes."""

import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from mscam_tf.data.manifests import (
    BOXES_FILE,
    MANIFEST_FILE,
    Box,
    Manifest,
    Sample,
    write_boxes,
    write_manifest,
)
from mscam_tf.errors import MscamError
from mscam_tf.files import write_png, write_table
from mscam_tf.outputs import Kind
from mscam_tf.simulation.bones import Bone
from mscam_tf.simulation.radiograph import (
    CLASS_NAMES,
    Radiograph,
    SimulationConfig,
    simulate_frame,
    simulate_radiograph,
)

LABELS = ("scale", "binary")
_CHUNK = 8  # Images at most that a process takes at a time.


@dataclass(frozen=True)
class Plan:
    """Which images to simulate; this determines every byte of the data set.

    Attributes:
        num_images: How many images.
        config: Settings of the images.
        labels: `"scale"` (none, scale1, scale2, scale3) or `"binary"` (none, bone).
        balance: Weight of each of the four classes; equal by default.
        frame_groups: Groups of bones in a whole fillet (0 for fillets without bones); `None` for
            patches.
        seed: Seed of the data set; image `i` is drawn from its own random numbers, of `[seed, i]`.
    """

    num_images: int = 371
    config: SimulationConfig = field(default_factory=SimulationConfig)
    labels: str = "scale"
    balance: Mapping[str, float] | None = None
    frame_groups: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.num_images < 1:
            raise MscamError(
                f"`num_images` must be at least 1. Received: num_images={self.num_images}"
            )
        for name in ("seed", "frame_groups"):
            if (getattr(self, name) or 0) < 0:
                raise MscamError(
                    f"`{name}` must not be negative. Received: {name}={getattr(self, name)}"
                )
        if self.labels not in LABELS:
            raise MscamError(f"`labels` must be one of {LABELS}. Received: labels={self.labels!r}")
        shares = list(self.weights.values())
        known = set(self.weights) <= set(CLASS_NAMES)
        if not (known and np.isfinite(shares).all() and min(shares, default=-1) >= 0 < sum(shares)):
            raise MscamError(
                f"`balance` must give weights of zero or more to classes of {CLASS_NAMES}. "
                f"Received: balance={self.balance}"
            )

    @property
    def weights(self) -> dict[str, float]:
        """Weight of each class: by default all classes, or none and bone, are equally frequent."""
        if self.balance is not None:
            return dict(self.balance)
        none = 1.0 if self.labels == "scale" else float(len(CLASS_NAMES) - 1)
        return {name: none if name == "none" else 1.0 for name in CLASS_NAMES}

    def assign_classes(self) -> list[str]:
        """Return the class of each image: the weights' shares, shuffled by the seed.

        Examples:
            >>> Plan(num_images=6, balance={"none": 1, "scale2": 2}).assign_classes()
            ['none', 'scale2', 'none', 'scale2', 'scale2', 'scale2']
        """
        weights = self.weights
        ends = np.round(np.cumsum(list(weights.values())) / sum(weights.values()) * self.num_images)
        counts = np.diff(ends.astype(int), prepend=0)
        classes = np.repeat(list(weights), counts)
        return np.random.default_rng([self.seed, self.num_images]).permutation(classes).tolist()

    def name(self, radiograph: Radiograph) -> str:
        """Return the label under which an image is kept."""
        return "bone" if self.labels == "binary" and radiograph.bones else radiograph.label

    def simulate(self, index: int, size_class: str) -> Radiograph:
        """Simulate one image of the data set."""
        generator = np.random.default_rng([self.seed, index])
        if self.frame_groups is not None:
            return simulate_frame(self.config, self.frame_groups, generator)
        return simulate_radiograph(size_class, self.config, generator)


def write_radiographs(
    folder: str | Path,
    plan: Plan | None = None,
    *,
    processes: int = 1,
    on_progress: Callable[[int], None] | None = None,
) -> Path:
    """Write a data set: PNG images in one folder per class, and the truth about each.

    `manifest.csv` lists the images with label and mask; `masks/` holds PNG images in which each
    pixel has the number of its bone, from 1, or 0; `boxes.csv` the box, and `bones.csv` all
    parameters, of each bone.

    Args:
        folder: Where to write; created if missing.
        plan: What to simulate: 371 patches of 256 x 256 pixels in 16 bits by default.
        processes: Processes to simulate in. With more than one, a script needs the usual
            `if __name__ == "__main__"`.
        on_progress: Called with 1 after each image.

    Returns:
        The folder.
    """
    folder, plan = Path(folder), plan or Plan()
    samples: list[Sample] = []
    boxes: dict[str, list[Box]] = {}
    bones: dict[str, tuple[Bone, ...]] = {}
    write = partial(_write_one, folder, plan)
    for sample, boxes_of_one, bones_of_one in map_images(write, plan.assign_classes(), processes):
        samples.append(sample)
        boxes[sample.path], bones[sample.path] = boxes_of_one, bones_of_one
        if on_progress is not None:
            on_progress(1)
    write_table(folder / _BONES_FILE, _list_bones(bones), ("path", *_BONE))
    write_boxes(boxes, folder / BOXES_FILE)
    write_manifest(Manifest(folder, tuple(samples)), folder / MANIFEST_FILE)
    return folder


_BONE = (
    *("kind", "size_class", "center_y", "center_x", "angle", "diameter", "length", "bend"),
    *("contrast", "cortex", "core"),
)
_BONES_FILE = "bones.csv"
SIMULATION_FOLDER = Kind(
    "simulated radiographs",
    _BONES_FILE,
    keys=("path", *_BONE),
    entries=(*CLASS_NAMES, "bone", "masks", MANIFEST_FILE, BOXES_FILE, _BONES_FILE),
)
_Written = TypeVar("_Written")


def map_images(
    write: Callable[[int, str], _Written], classes: Sequence[str], processes: int
) -> Iterator[_Written]:
    """Write each image of a data set, given its number and class; in order, on any processes."""
    if processes == 1:
        yield from map(write, range(len(classes)), classes)
        return
    # Not forked: the caller may hold threads, TensorFlow's among them.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        # Small chunks where there are few images, so that every process has some.
        chunk = max(1, min(_CHUNK, len(classes) // (4 * processes)))
        yield from pool.map(write, range(len(classes)), classes, chunksize=chunk)


def _write_one(
    folder: Path, plan: Plan, index: int, size_class: str
) -> tuple[Sample, list[Box], tuple[Bone, ...]]:
    radiograph = plan.simulate(index, size_class)
    name = f"{index:05d}.png"
    path = Path(plan.name(radiograph)) / name
    write_image(folder / path, radiograph.image)
    mask = ""
    if radiograph.bones:
        mask = f"masks/{name}"
        numbers = radiograph.mask
        write_image(folder / mask, numbers if numbers.max() > 255 else numbers.astype(np.uint8))
    boxes = [
        Box(x_min, y_min, x_max, y_max, bone.size_class)
        for (x_min, y_min, x_max, y_max), bone in zip(
            radiograph.boxes.tolist(), radiograph.bones, strict=True
        )
    ]
    sample = Sample(path.as_posix(), plan.name(radiograph), path.as_posix(), mask=mask)
    return sample, boxes, radiograph.bones


def write_image(path: Path, values: np.ndarray) -> None:
    """Write an image as a PNG file; an error leaves no half-written file."""
    # Noise hardly compresses: the quickest level is twice as fast and as small.
    write_png(path, values, compress_level=1)


def _list_bones(bones: Mapping[str, Sequence[Bone]]) -> Iterator[dict[str, object]]:
    for image, found in bones.items():
        for bone in found:
            center = dict(zip(("center_y", "center_x"), bone.center, strict=True))
            yield {"path": image, **asdict(bone), **center}
