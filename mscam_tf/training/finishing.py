"""What follows the fit: the model of the best weights, what its maps need, and a reference."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mscam_tf.data.manifests import Manifest
from mscam_tf.data.reading import spread_indices
from mscam_tf.drift import (
    Reference,
    fit_reference,
    measure_image,
    read_reference,
    write_reference,
)
from mscam_tf.errors import RunError, name_full_disk
from mscam_tf.files import write_json, write_whole
from mscam_tf.locks import hold
from mscam_tf.models import build_explainer
from mscam_tf.runs import (
    MARKED,
    PERCENTILES,
    OperatingPoint,
    Run,
    describe_samples,
    find_good_class,
    find_good_images,
    fit_map_thresholds,
    fit_range,
    measure_maxima,
    read_operating_point,
    write_operating_point,
)
from mscam_tf.training.building import build_classifier, use_precision
from mscam_tf.training.checkpoints import BEST, read_weights
from mscam_tf.training.divergence import DivergedError
from mscam_tf.training.optimization import apply_constraints
from mscam_tf.training.preparation import make_split_dataset

if TYPE_CHECKING:
    import keras

MODEL, DISPLAY = "model.keras", "display.json"
_IMAGES = 64  # Enough for percentiles.
_MOST = 1000  # Enough for the threshold that 5 % of the images reach.


def finish(run: Run, manifest: Manifest) -> None:
    """Write the model of the best weights, without the optimizer's state, and what its maps need.

    That is their range, for pictures, and the thresholds above which they are marked. Of 99 good
    validation images or more, what they are like is kept too, to watch for drift. What is written
    already stays: the model does not depend on what follows it.

    Raises:
        RunError: If the maps hold what is no number.
    """
    if not (run.folder / MODEL).exists():
        _write_model(run)
    model = run.load_model()
    chosen = manifest.select("validation")
    validation = make_split_dataset(run, chosen)
    few = validation.take(-(-_IMAGES // run.config.batch_size))
    explainer = build_explainer(model, activation=run.task.activation)
    try:
        low, high = fit_range(explainer, (images for images, _ in few.as_numpy_iterator()))
        point, reference = _fit_operating_point(explainer, run, chosen)
    except RunError as error:
        raise DivergedError(": its maps are no numbers", error) from error
    if read_operating_point(run) is None:
        write_operating_point(run, point)
    if reference is not None and read_reference(run) is None:
        write_reference(run, reference)
    values = {"low": low, "high": high, "percentiles": PERCENTILES}
    write_json(run.folder / DISPLAY, values)  # Last: where it is, all is.


def mend(run: Run, manifest: Manifest) -> None:
    """Make anew what a finished run has lost: its model, of the best weights, or its range."""
    if not all((run.folder / name).is_file() for name in (MODEL, DISPLAY)):
        config = run.config
        with (
            hold(run.folder),
            name_full_disk(run.folder),
            use_precision(config.precision, config.seed),
        ):
            finish(run, manifest)


def _fit_operating_point(
    explainer: "keras.Model", run: Run, validation: Manifest
) -> tuple[OperatingPoint, Reference | None]:
    """Reject at even odds, mark what at most 5 % of good images have; and what these are like."""
    task, good = run.task, find_good_class(run.task)
    of_good = find_good_images(task, task.encode(validation), good)
    chosen = _take(validation, of_good if of_good.any() else ~of_good)
    images = (images for images, _ in make_split_dataset(run, chosen).as_numpy_iterator())
    features: list[np.ndarray] = []
    logits: list[np.ndarray] = []

    def measure(images: np.ndarray, said: np.ndarray) -> None:
        features.extend(measure_image(image[..., 0]) for image in images)
        logits.extend(said)

    maxima = measure_maxima(explainer, images, measure)
    point = OperatingPoint(
        fit_map_thresholds(task, maxima, task.encode(chosen), good),
        good=good,
        record={
            "made_by": "training",
            "split": "validation",
            **describe_samples(chosen),
            "good": bool(of_good.any()),
            "marked": MARKED,
        },
    )
    return point, fit_reference(np.array(features), np.array(logits))


def _take(manifest: Manifest, wanted: np.ndarray) -> Manifest:
    """Return the wanted images of a manifest, and of many an even choice."""
    indices = np.flatnonzero(wanted)
    even = spread_indices(len(indices), _MOST)
    return replace(manifest, samples=tuple(manifest.samples[i] for i in indices[even]))


def _write_model(run: Run) -> None:
    model = build_classifier(run.config, len(run.class_names), weights=None)
    read_weights(model, run.folder / BEST)
    apply_constraints(model)
    with write_whole(run.folder / MODEL) as partial:
        model.save(partial)
