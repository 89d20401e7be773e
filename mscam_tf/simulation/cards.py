"""Write data sets of test pieces, with the truth about each."""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np

from mscam_tf.data.manifests import (
    BOXES_FILE,
    CORNERS,
    MANIFEST_FILE,
    NO_OBJECT,
    Box,
    Manifest,
    Sample,
    write_boxes,
    write_manifest,
)
from mscam_tf.files import write_table
from mscam_tf.outputs import Kind
from mscam_tf.simulation.dataset import list_image_entries, write_each, write_image
from mscam_tf.simulation.pieces import CARDS, Piece, PieceImage, simulate_piece
from mscam_tf.simulation.plan import CardPlan
from mscam_tf.simulation.seeds import open_stream

_OBJECTS_FILE = "objects.csv"
_COLUMNS = (
    *("path", *CORNERS, "label", "material", "shape", "diameter_mm", "length_mm"),
    *("diameter", "length", "contrast", "contrast_to_noise"),
)
PIECES_FOLDER = Kind(
    "test pieces",
    _OBJECTS_FILE,
    keys=("path", "material", "diameter_mm"),
    entries=(
        *(MANIFEST_FILE, BOXES_FILE, _OBJECTS_FILE),
        *list_image_entries((NO_OBJECT, *CARDS, "masks")),
    ),
)


def write_test_pieces(
    folder: str | Path,
    plan: CardPlan | None = None,
    *,
    processes: int = 1,
    on_progress: Callable[[int], None] | None = None,
) -> Path:
    """Write a data set of test pieces: PNG images in one folder for each material, and `none`.

    `manifest.csv` lists the images with label and mask; `objects.csv` holds material, shape, sizes
    in mm and pixels, contrast, contrast-to-noise ratio and box of each piece, and `boxes.csv` the
    boxes alone.

    Args:
        folder: Where to write; created if missing.
        plan: What to simulate: 29 images of each piece, and 299 without one, by default.
        processes: Processes to simulate in. With more than one, a script needs the usual
            `if __name__ == "__main__"`.
        on_progress: Called with 1 after each image.

    Returns:
        The folder.
    """
    folder, plan = Path(folder), plan or CardPlan()
    write = partial(_write_one, folder, plan)
    names = [piece.material if piece else NO_OBJECT for piece in plan.pieces]
    samples: list[Sample] = []
    rows: list[dict[str, object]] = []
    boxes: dict[str, list[Box]] = {}
    for sample, found in write_each(write, names, processes):
        samples.append(sample)
        for box, row in found:
            boxes[sample.path] = [box]
            rows.append({"path": sample.path, **row})
        if on_progress is not None:
            on_progress(1)
    write_table(folder / _OBJECTS_FILE, rows, _COLUMNS)
    write_boxes(boxes, folder / BOXES_FILE)
    write_manifest(Manifest(folder, tuple(samples)), folder / MANIFEST_FILE)
    return folder


def _write_one(
    folder: Path, plan: CardPlan, index: int, label: str
) -> tuple[Sample, list[tuple[Box, dict[str, object]]]]:
    settings = {"kind": "test pieces", **asdict(plan)}
    generator = open_stream(settings, index + 1)
    found = simulate_piece(plan.pieces[index], plan.config, generator)
    name = f"{index:05d}.png"
    path = f"{label}/{name}"
    write_image(folder / path, found.image)
    if found.piece is None:
        return Sample(path, label, path), []
    mask = np.zeros(found.image.shape, np.uint8)
    mask[found.window][found.outline] = 1
    write_image(folder / "masks" / name, mask)
    row = _describe(found.piece, found, plan.config.pixel_pitch)
    box = Box(*found.box, label)
    return Sample(path, label, path, mask=f"masks/{name}"), [(box, row)]


def _describe(piece: Piece, found: PieceImage, pixel_pitch: float) -> dict[str, object]:
    return {
        **dict(zip(CORNERS, found.box, strict=True)),
        "label": piece.material,
        "material": piece.material,
        "shape": piece.shape,
        "diameter_mm": piece.diameter,
        "length_mm": piece.length,
        "diameter": round(piece.diameter / pixel_pitch, 4),
        "length": round(piece.length / pixel_pitch, 4),
        "contrast": round(found.contrast, 6),
        "contrast_to_noise": round(found.contrast_to_noise, 4),
    }
