"""The data set `gdxray_welds`: films of welds, with a mask and the boxes of their defects."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from mscam_tf.datasets.common import (
    GDXRAY_CITATION,
    GDXRAY_TERMS,
    find_manual_folder,
    make_box,
    read_grey,
    split_groups,
)
from mscam_tf.errors import MscamError
from mscam_tf.names import show_place

_HOMEPAGE = "https://domingomery.ing.puc.cl/material/gdxray/"
_TERMS = GDXRAY_TERMS + " The films are of BAM, Berlin, which forbids commercial use."
_PATCH_SIZE = 256


@dataclass(eq=False)
class GdxrayWeldsConfig(tfds.core.BuilderConfig):
    """A configuration of `GdxrayWelds`.

    Attributes:
        patch_size: Side of the patches in pixels, or `None` for whole films.
    """

    patch_size: int | None = None


class GdxrayWelds(tfds.core.GeneratorBasedBuilder):
    """Radiographs of welds, 8 bits, some 400 to 1,100 pixels high and 3,500 to 5,000 wide.

    Features: `image`, uint8; `label`, defect or none; `name`; `group`, the film; `mask`, uint8, 1
    where there is a defect; `bboxes`, the box of each defect. Boxes at the border of a patch are
    cut off there. Films are split 7:1:2, and the patches of one film stay together.
    """

    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS = (
        GdxrayWeldsConfig(
            "patches", description="Patches of 256 x 256 pixels.", patch_size=_PATCH_SIZE
        ),
        GdxrayWeldsConfig("films", description="Whole films."),
    )
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"""\
Download the group Welds from {_HOMEPAGE} and place it here, as

  Welds/W0001/W0001_0001.png       the films
  Welds/W0001/ground_truth.txt     their defects: film, x_min, x_max, y_min, y_max
  Welds/W0002/W0002_0001.png       a mask of the defects in each film

{_TERMS}"""

    def _info(self) -> tfds.core.DatasetInfo:
        side = self.builder_config.patch_size
        shape = (side, side, 1)
        features = {
            "image": tfds.features.Image(shape=shape, dtype=np.uint8, encoding_format="png"),
            "label": tfds.features.ClassLabel(names=["defect", "none"]),
            "name": tfds.features.Text(),
            "group": tfds.features.Text(),
            "mask": tfds.features.Image(shape=shape, dtype=np.uint8, encoding_format="png"),
            "bboxes": tfds.features.Sequence(tfds.features.BBoxFeature()),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            description="Radiographs of welds with their defects (series W0001). " + _TERMS,
            features=tfds.features.FeaturesDict(features),
            supervised_keys=("image", "label"),
            homepage=_HOMEPAGE,
            citation=GDXRAY_CITATION,
            license=_TERMS,
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        folder = find_manual_folder(dl_manager, "Welds")
        films = _list_films(folder / "W0001")
        # A film without a free patch has one class only: it must not be alone in a split.
        clear = {film.stem: "film" for film in films if _has_free_patch(film)}
        splits = {**{film.stem: "train" for film in films}, **split_groups(clear)}
        boxes = _read_boxes(folder / "W0001" / "ground_truth.txt")
        return {
            split: self._generate_examples([f for f in films if splits[f.stem] == split], boxes)
            for split in dict.fromkeys(splits.values())
        }

    def _generate_examples(
        self, films: Sequence[Path], boxes: np.ndarray
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        side = self.builder_config.patch_size
        for path in films:
            film = read_grey(path)
            mask = _read_mask(path)
            mine = boxes[boxes[:, 0] == int(path.stem.split("_")[1]), 1:]
            for y, x in _list_corners(path, film.shape[:2], side):
                name = f"{path.stem}_y{y:04d}_x{x:04d}" if side else path.stem
                patch, part = (values[y:, x:][:side, :side] for values in (film, mask))
                example = {
                    "image": patch,
                    "label": "defect" if part.any() else "none",
                    "name": name,
                    "group": path.stem,
                    "mask": part,
                    "bboxes": _cut_boxes(mine, (y, x), patch.shape[:2]),
                }
                yield name, example


def _list_films(folder: Path) -> list[Path]:
    films = sorted(folder.glob("W0001_*.png"))
    if not films:
        raise FileNotFoundError(
            f"Expected films such as W0001_0001.png. Received: {show_place(folder)}"
        )
    return films


def _read_mask(film: Path) -> np.ndarray:
    """Read the mask of a film, the image of the same number in series W0002, as 0 and 1."""
    path = film.parents[1] / "W0002" / film.name.replace("W0001_", "W0002_")
    if not path.is_file():
        raise FileNotFoundError(f"Expected a mask for {film.name}. Received: no file {path}")
    return (read_grey(path) > 0).astype(np.uint8)


def _has_free_patch(film: Path) -> bool:
    """Whether a patch of the film is free of defects."""
    mask = _read_mask(film)
    side = min(_PATCH_SIZE, *mask.shape[:2])
    corners = _list_corners(film, mask.shape[:2], side)
    return any(not mask[y:, x:][:side, :side].any() for y, x in corners)


def _read_boxes(path: Path) -> np.ndarray:
    """Read rows of film, x_min, y_min, x_max, y_max in pixels; a box spans [min, max).

    The file has both x before both y, and the borders of Matlab: pixel 1, the first, spans 0.5 to
    1.5.
    """
    with path.open() as file:
        try:
            rows = np.loadtxt(file, ndmin=2)
        except ValueError as error:
            raise MscamError(f"{path} must be rows of 5 numbers. Received: {error}") from error
    if rows.ndim != 2 or rows.shape[1] != 5:
        raise MscamError(f"{path} must have 5 columns. Received: {rows.shape[1]}")
    return np.concatenate([rows[:, :1], rows[:, [1, 3, 2, 4]] - 0.5], axis=1)


def _list_corners(path: Path, size: tuple[int, int], side: int | None) -> list[tuple[int, int]]:
    """Spread patches evenly, so that they cover the film and overlap as little as possible."""
    if side is None:
        return [(0, 0)]
    if min(size) < side:
        raise MscamError(f"{path} must be at least {side} pixels a side. Received: {size}")
    rows, columns = (
        np.linspace(0, length - side, -(-length // side)).round().astype(int).tolist()
        for length in size
    )
    return [(y, x) for y in rows for x in columns]


def _cut_boxes(
    boxes: np.ndarray, corner: tuple[int, int], size: tuple[int, int]
) -> list[tfds.features.BBox]:
    """Move boxes into a patch, and cut off what lies outside."""
    (y, x), (height, width) = corner, size
    inside = np.clip(boxes - [x, y, x, y], 0, [width, height, width, height])
    seen = (inside[:, 2:] > inside[:, :2]).all(axis=1)
    return [make_box(box, size) for box in inside[seen]]
