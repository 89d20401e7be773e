"""The data set `gdxray_fishbones`: real crops of salmon fillets, with and without a bone."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from mscam_tf.datasets.common import (
    GDXRAY_CITATION,
    GDXRAY_TERMS,
    find_manual_folder,
    read_grey,
    split_groups,
)
from mscam_tf.names import show_place

_COMMIT = "8f955e6f2913844167fc0a50b5e8f4a3892c4b5d"
_REPOSITORY = "https://github.com/computervision-xray-testing/pyxvis"
_URL = f"{_REPOSITORY}/archive/{_COMMIT}.zip"
_FOLDER = "listings/images/fishbones"
_CLASSES = {"class_0": "none", "class_1": "bone"}
_NUMBER = len("N0002_0001")  # What remains of a name without the prefix of a copy.


class GdxrayFishbones(tfds.core.GeneratorBasedBuilder):
    """Crops of radiographs of salmon fillets, 100 x 100 pixels, 8 bits.

    Features: `image`, uint8; `label` (bone, none); `name`, of the file; `group`, the number of the
    original, such as `N0002_0001`. A training image comes four times: as it is, and as copies
    with the prefixes B, L and U. The copies of one original have one group, and are in one split.

    The publisher's test images are the split `test`; an eighth of the originals of the others,
    with their copies, is `validation`. By originals that is 7:1:2.
    """

    VERSION = tfds.core.Version("1.0.0")
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"""\
Either let TensorFlow Datasets download {_URL},
or place the folder {_FOLDER} of that repository here, as

  fishbones/train/class_0/*.jpg    without a bone
  fishbones/train/class_1/*.jpg    with a bone
  fishbones/test/class_0/*.jpg
  fishbones/test/class_1/*.jpg

{GDXRAY_TERMS}"""

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "image": tfds.features.Image(
                shape=(100, 100, 1), dtype=np.uint8, encoding_format="png"
            ),
            "label": tfds.features.ClassLabel(names=["bone", "none"]),
            "name": tfds.features.Text(),
            "group": tfds.features.Text(),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            description="Crops of radiographs of salmon fillets, with and without a fish bone, as "
            "published with the book Computer Vision for X-Ray Testing. " + GDXRAY_TERMS,
            features=tfds.features.FeaturesDict(features),
            supervised_keys=("image", "label"),
            homepage=_REPOSITORY,
            citation=GDXRAY_CITATION,
            license=GDXRAY_TERMS,
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        folder = _find_folder(dl_manager)
        train, test = (_list_images(folder / name) for name in ("train", "test"))
        splits = split_groups({_group(path): path.parent.name for path in train}, (7, 1, 0))
        parts = {
            split: [path for path in train if splits[_group(path)] == split]
            for split in ("train", "validation")
        }
        return {k: self._generate_examples(v) for k, v in {**parts, "test": test}.items()}

    def _generate_examples(self, paths: Sequence[Path]) -> Iterator[tuple[str, dict[str, Any]]]:
        for path in paths:
            yield (
                path.stem,
                {
                    "image": read_grey(path),
                    "label": _CLASSES[path.parent.name],
                    "name": path.stem,
                    "group": _group(path),
                },
            )


def _find_folder(dl_manager: tfds.download.DownloadManager) -> Path:
    """Return the folder placed by hand, or else download the archive."""
    try:
        return find_manual_folder(dl_manager, "fishbones")
    except FileNotFoundError as missing:
        try:
            archive: Path = dl_manager.download_and_extract(_URL)
        except Exception as error:  # Downloads raise whatever the network raises.
            raise FileNotFoundError(f"{_URL} cannot be downloaded: {error}\n{missing}") from error
        return archive / f"pyxvis-{_COMMIT}" / _FOLDER


def _list_images(folder: Path) -> list[Path]:
    paths = sorted(path for name in _CLASSES for path in (folder / name).glob("*.jpg"))
    if not paths:
        raise FileNotFoundError(
            f"Expected the folders {' and '.join(_CLASSES)} with .jpg files. "
            f"Received: {show_place(folder)}"
        )
    return paths


def _group(path: Path) -> str:
    return path.stem[-_NUMBER:]
