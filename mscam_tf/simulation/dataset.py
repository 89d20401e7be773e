"""Write data sets of simulated radiographs; the same settings and seed give the same bytes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
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
from mscam_tf.files import write_png, write_table
from mscam_tf.outputs import Kind
from mscam_tf.simulation.bones import Bone
from mscam_tf.simulation.config import CLASS_NAMES
from mscam_tf.simulation.plan import Plan
from mscam_tf.workers import open_workers

_CHUNK = 8  # Images at most that a process takes at a time.


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
    for sample, boxes_of_one, bones_of_one in write_each(write, plan.assign_classes(), processes):
        samples.append(sample)
        boxes[sample.path], bones[sample.path] = boxes_of_one, bones_of_one
        if on_progress is not None:
            on_progress(1)
    write_table(folder / _BONES_FILE, _list_bones(bones), ("path", *_BONE))
    write_boxes(boxes, folder / BOXES_FILE)
    write_manifest(Manifest(folder, tuple(samples)), folder / MANIFEST_FILE)
    return folder


def list_image_entries(folders: Sequence[str]) -> list[str]:
    """List folders of numbered images, and what in them is written by us."""
    return [entry for name in folders for entry in (name, f"{name}/[0-9]*.png")]


_BONE = (
    *("kind", "size_class", "center_y", "center_x", "angle", "diameter", "length", "bend"),
    *("contrast", "cortex", "core"),
)
_BONES_FILE = "bones.csv"
SIMULATION_FOLDER = Kind(
    "simulated radiographs",
    _BONES_FILE,
    keys=("path", *_BONE),
    entries=(
        *(MANIFEST_FILE, BOXES_FILE, _BONES_FILE),
        *list_image_entries((*CLASS_NAMES, "bone", "masks")),
    ),
)
_Written = TypeVar("_Written")


def write_each(
    write: Callable[[int, str], _Written], classes: Sequence[str], processes: int
) -> Iterator[_Written]:
    """Write each image of a data set, given its number and class; in order, on any processes."""
    processes = min(processes, len(classes))
    if processes == 1:
        yield from map(write, range(len(classes)), classes)
        return
    with open_workers(processes) as pool:
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
