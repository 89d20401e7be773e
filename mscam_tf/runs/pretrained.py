"""The pretrained classifier as a run that needs no training: it says what it knows of any image."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mscam_tf.data.reading import ReadOptions
from mscam_tf.errors import RunError
from mscam_tf.models import load_pretrained
from mscam_tf.runs.config import TrainConfig
from mscam_tf.runs.run import RUN_FOLDER, Run

if TYPE_CHECKING:
    import keras

_NAME = "xray"
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class _PretrainedRun(Run):
    """It has no folder: what a trained run reads there comes with the package."""

    def load_model(self) -> "keras.Model":
        from mscam_tf.models import build_pretrained_classifier

        return build_pretrained_classifier(self.image_size)

    def read_record(self, name: str) -> dict[str, Any] | None:
        display = load_pretrained().display if name == "display" else None
        return None if display is None else {"low": display[0], "high": display[1]}

    def read_value_range(self) -> tuple[float, float]:
        if self.read_record("display") is None:
            raise RunError(
                "The description of the pretrained weights has no range of the maps: write them "
                "anew with `mscam pretrain`. Received: display=None"
            )
        return super().read_value_range()


def open_pretrained(
    image_size: tuple[int, int] = (128, 128), read: ReadOptions | None = None
) -> Run:
    """Open the pretrained classifier as a run, to explain images without any training.

    It is that of `mscam_tf.build_pretrained_classifier`, with its ten targets as findings (several
    may be in one image), and with a range of the maps that was fitted on simulated scenes.

    Args:
        image_size: `(height, width)` in pixels to which images are resized. Objects of 1.5 to 30
            pixels are seen.
        read: How the intensities of images are read; `ReadOptions()` by default.

    Returns:
        A `Run` for `mscam_tf.open_session`, `explain` and `write_explanations`. It has no folder,
        and so no splits.

    Raises:
        MscamError: If the size is less than 32 pixels.
        OSError: If the file of the weights is damaged.

    Examples:
        >>> import mscam_tf
        >>> mscam_tf.open_pretrained().task.class_names[:2]
        ['bone', 'bone_scale1']
    """
    pretrained = load_pretrained()
    config = TrainConfig(
        weights=_NAME,
        pooling=pretrained.pooling,
        several=True,
        image_size=image_size,
        read=read or ReadOptions(),
    )
    return _PretrainedRun(Path(_NAME), config, list(pretrained.targets), "simulated scenes")


def names_pretrained(run: Path) -> bool:
    """Whether RUN of a command is the pretrained classifier: it is `xray`, and no run folder.

    A run folder of that name comes first, which a warning says.
    """
    if str(run) != _NAME:
        return False
    if RUN_FOLDER.is_at(run):
        _LOGGER.warning(
            "%s is taken for the run folder of that name; for the pretrained classifier, call the "
            "command from another folder.",
            run,
        )
        return False
    return True
