"""Whether the heads alone are tuned or all: what came of each, and which is kept."""

import logging
import math
from typing import Any

import keras
import numpy as np

from mscam_tf.data.manifests import Manifest
from mscam_tf.errors import RunError
from mscam_tf.files import write_json
from mscam_tf.models import find_heads
from mscam_tf.records import read_json
from mscam_tf.runs import Run
from mscam_tf.training.checkpoints import BEST, write_weights
from mscam_tf.training.heads import HeadFit, fit_heads
from mscam_tf.training.progress import Progress

TUNING = "tuning.json"
_LOGGER = logging.getLogger(__name__)


def tune_heads(model: keras.Model, run: Run, manifest: Manifest, deep: float) -> Progress:
    """Fit the heads of a classifier, keep the weights, and write down how it went.

    Args:
        model: The classifier of the run.
        run: The run.
        manifest: Its images, with splits.
        deep: Weight of a loss on the logits of each scale alone.

    Returns:
        The progress of a training of no epoch yet, to which only a lower validation loss is better.
    """
    if not run.config.starts_heads:  # There is nothing that random heads should stay near to.
        for head in find_heads(model).heads:
            head.dense.kernel.assign(np.zeros(head.dense.kernel.shape))
    fit = fit_heads(model, run, manifest.select("train"), manifest.select("validation"), deep)
    write_weights(model, run.folder / BEST)
    write_json(run.folder / TUNING, {"kept": "heads", "heads": _describe(fit)})
    return Progress(best=fit.loss)


def say_what_is_kept(run: Run, progress: Progress, *, comparable: bool = True) -> None:
    """Write down and log which had the lower validation loss: the heads alone, or all tuned.

    Args:
        run: The run.
        progress: That of tuning all.
        comparable: Whether the two losses are of the same kind. If not, all tuned was kept.

    Raises:
        RunError: If what was written of the heads cannot be read.
    """
    path = run.folder / TUNING
    values = read_json(path)
    try:
        heads = float(values["heads"]["val_loss"])
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"{path} must say the loss of the heads. Received: {values}") from error
    kept = "all" if progress.best < heads or not comparable else "heads"
    best = {"epochs": progress.epoch, "val_loss": progress.lowest}
    write_json(path, {**values, "kept": kept, "all": best})
    _LOGGER.warning(
        "Validation loss: %.3f of the heads alone, %.3f of all tuned. Kept: %s.",
        *(heads, progress.lowest, "all tuned" if kept == "all" else "the heads alone"),
    )


def _describe(fit: HeadFit) -> dict[str, Any]:
    """JSON has no infinity: the strength of the start itself is `null` there."""
    finite = {s: s if math.isfinite(s) else None for s in fit.strengths}
    tried = zip(fit.strengths, fit.losses, strict=True)
    return {
        "val_loss": fit.loss,
        "strength": finite[fit.strength],
        "images": fit.images,
        "views": fit.views,
        "tried": [{"strength": finite[s], "val_loss": loss} for s, loss in tried],
    }
