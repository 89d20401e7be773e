"""What follows the fit: the model of the best weights, and the range of its maps."""

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from mscam_tf.data.manifests import Manifest
from mscam_tf.files import write_json, write_whole
from mscam_tf.models import build_explainer
from mscam_tf.runs import Run
from mscam_tf.training.building import build_classifier
from mscam_tf.training.checkpoints import BEST, read_weights
from mscam_tf.training.divergence import DivergedError
from mscam_tf.training.optimization import apply_constraints
from mscam_tf.training.preparation import make_split_dataset

_PERCENTILES = (1.0, 99.5)
_IMAGES = 64  # Enough for percentiles.
_VALUES = 2**16  # Of the maps of each image: enough for percentiles, and little memory.


def finish(run: Run, manifest: Manifest) -> None:
    """Write the model of the best weights, without the optimizer's state, and its maps' range.

    What is written already stays: the model does not depend on what follows it.

    Raises:
        RunError: If the maps hold what is no number.
    """
    if not (run.folder / "model.keras").exists():
        _write_model(run)
    model = run.load_model()
    validation = make_split_dataset(run, manifest.select("validation"))
    few = validation.take(-(-_IMAGES // run.config.batch_size))
    explainer = build_explainer(model, activation=run.task.activation)
    low, high = fit_range(explainer, (images for images, _ in few))
    values = {"low": low, "high": high, "percentiles": _PERCENTILES}
    write_json(run.folder / "display.json", values)


def fit_range(explainer: keras.Model, batches: Iterable[Any]) -> tuple[float, float]:
    """Return the percentiles 1 and 99.5 of the maps of some images, which are made batch by batch.

    Of each image 65,536 values are kept, drawn evenly with a fixed seed. Of smaller maps that is
    every one; of others the percentiles are those of all values within about 0.1 (so that the 99.5
    is at most the 99.6 and at least the 99.4).

    Args:
        explainer: From `mscam_tf.build_explainer`.
        batches: Images, `(n, H, W, channels)`.

    Raises:
        RunError: If the maps hold what is no number.
    """
    generator = np.random.default_rng(0)
    kept = []
    for images in batches:
        maps = np.asarray(explainer.predict_on_batch(images)["maps"])
        if not np.isfinite(maps).all():
            count = np.sum(~np.isfinite(maps))
            raise DivergedError(": its maps are no numbers", f"{count} that are none")
        kept += [_draw(values.ravel(), generator) for values in maps]
    low, high = np.percentile(np.concatenate(kept), _PERCENTILES)
    return float(low), float(high)


def _draw(values: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    if len(values) <= _VALUES:
        return values
    return values[generator.integers(len(values), size=_VALUES)]


def _write_model(run: Run) -> None:
    model = build_classifier(run.config, len(run.class_names), weights=None)
    read_weights(model, run.folder / BEST)
    apply_constraints(model)
    with write_whole(run.folder / "model.keras") as partial:
        model.save(partial)
