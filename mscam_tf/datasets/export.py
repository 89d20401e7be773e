"""Write a data set of TFDS as PNG files with a manifest, for all that reads files."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from mscam_tf.datasets.gdxray_fishbones import GdxrayFishbones
from mscam_tf.datasets.gdxray_welds import GdxrayWelds
from mscam_tf.datasets.simulated_bones import MscamSimulatedBones
from mscam_tf.errors import MscamError
from mscam_tf.files import write_png, write_table
from mscam_tf.folders import write_whole_folder

_BUILDERS = {cls.name: cls for cls in (GdxrayFishbones, GdxrayWelds, MscamSimulatedBones)}
_COLUMNS = ("path", "label", "group", "split", "mask")
_BOX = ("path", "x_min", "y_min", "x_max", "y_max", "label")
_Row = dict[str, Any]


def prepare_dataset(name: str, data_dir: str | Path | None = None) -> Path:
    """Prepare a data set of this package with TFDS, and export it; once.

    Args:
        name: Such as `"gdxray_fishbones"` or, with a configuration,
            `"mscam_simulated_bones/scale"`.
        data_dir: Folder of all data sets; by default that of TFDS, which is `TFDS_DATA_DIR` or
            `~/tensorflow_datasets`.

    Returns:
        The `manifest.csv`.

    Raises:
        ValueError: If there is no such data set.
        FileNotFoundError: If files are missing that must be placed by hand; the message says
            where they belong.
    """
    base, _, config = name.partition("/")
    builder_class = _BUILDERS.get(base)
    configs = [""] if builder_class is None else ["", *builder_class.builder_configs]
    if builder_class is None or config not in configs:
        raise MscamError(f"A data set must be one of {', '.join(list_names())}. Received: {name!r}")
    builder = builder_class(config=config or None, data_dir=data_dir)
    builder.download_and_prepare()
    return export_dataset(builder)


def list_names() -> list[str]:
    """List the data sets of this package, with their configurations."""
    return [
        f"{name}/{config}" if config else name
        for name, builder_class in _BUILDERS.items()
        for config in builder_class.builder_configs or [""]
    ]


def export_dataset(builder: tfds.core.DatasetBuilder) -> Path:
    """Write the examples of a prepared data set as PNG files with a manifest; once.

    The folder `mscam` in the data folder of TFDS then has, below the data set's name,
    configuration and version, one folder of images per class, `manifest.csv` with the columns
    `path,label,group,split,mask`, `masks/`, and `boxes.csv`: what `mscam simulate` writes. The
    values of the pixels, of 8 or 16 bits, are unchanged.

    Args:
        builder: A prepared builder with the features `image` (grey) and `label`, and optionally
            `name`, `group`, `mask` and `bboxes`.

    Returns:
        The `manifest.csv`.
    """
    folder = Path(builder.data_dir_root) / "mscam" / builder.info.full_name
    if not folder.exists():
        with write_whole_folder(folder) as partial:
            _write(builder, partial)
    return folder / "manifest.csv"


def _write(builder: tfds.core.DatasetBuilder, folder: Path) -> None:
    rows: list[_Row] = []
    boxes: list[_Row] = []
    for split, index, example in _iterate(builder):
        row = _write_example(folder, builder.info.features, example, f"{split}_{index:05d}")
        rows.append({**row, "split": split})
        boxes += _list_boxes(builder.info.features, example, row)
    write_table(folder / "boxes.csv", boxes, _BOX)
    write_table(folder / "manifest.csv", rows, _COLUMNS)


def _iterate(builder: tfds.core.DatasetBuilder) -> Iterator[tuple[str, int, _Row]]:
    for split in builder.info.splits:
        for index, example in enumerate(tfds.as_numpy(builder.as_dataset(split=split))):
            yield split, index, example


def _write_example(folder: Path, features: Any, example: _Row, default: str) -> _Row:
    label = features["label"].int2str(int(example["label"]))
    name = example["name"].decode() if "name" in example else default
    path, mask = f"{label}/{name}.png", ""
    write_png(folder / path, example["image"][..., 0], compress_level=1)
    if "mask" in example and example["mask"].any():
        mask = f"masks/{name}.png"
        write_png(folder / mask, example["mask"][..., 0], compress_level=1)
    group = example["group"].decode() if "group" in example else path
    return {"path": path, "label": label, "group": group, "mask": mask}


def _list_boxes(features: Any, example: _Row, row: _Row) -> Iterator[_Row]:
    """List the boxes in pixels; each has a label of its own, or that of the image."""
    boxes = example.get("bboxes", np.empty((0, 4)))
    labels = [row["label"]] * len(boxes)
    if isinstance(boxes, Mapping):
        labels = [features["bboxes"]["label"].int2str(int(i)) for i in boxes["label"]]
        boxes = boxes["bbox"]
    height, width = example["image"].shape[:2]
    # Normalised in float32: rounding brings back what was a half or whole pixel.
    pixels = np.round(boxes[:, [1, 0, 3, 2]] * [width, height, width, height], 2)
    for box, label in zip(pixels.tolist(), labels, strict=True):
        yield {"path": row["path"], **dict(zip(_BOX[1:5], box, strict=True)), "label": label}
