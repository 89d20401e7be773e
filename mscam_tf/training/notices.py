"""What is said of a training that goes on."""

import logging
from pathlib import Path

from mscam_tf.data.manifests import Manifest
from mscam_tf.runs import Run
from mscam_tf.training.finishing import DISPLAY, MODEL
from mscam_tf.training.resuming import is_unfinished

_LOGGER = logging.getLogger(__name__)


def say_what_goes_on(begun: Run | None, folder: Path) -> None:
    """Log what `resume` does: it may find nothing, or a training that is finished."""
    if begun is None:
        _LOGGER.warning("%s holds no training to go on with: one begins.", folder)
    elif not is_unfinished(begun.folder):
        lost = [name for name in (MODEL, DISPLAY) if not (begun.folder / name).is_file()]
        left = (
            f"it has lost {' and '.join(lost)}, to be made anew"
            if lost
            else "nothing is left to do"
        )
        _LOGGER.warning("The training of %s is finished: %s.", folder, left)


def warn_of_changed_images(begun: Run, manifest: Manifest) -> None:
    """Warn of images whose files were written after the training began: they may be others."""
    since = (begun.folder / "config.json").stat().st_mtime
    changed = [path for path in manifest.paths if path.exists() and path.stat().st_mtime > since]
    if changed:
        _LOGGER.warning(
            "%d images were written after this training began, such as %s. It goes on with what "
            "they show now; if they are others, begin anew with --overwrite.",
            len(changed),
            changed[0],
        )
