"""What follows the fit: the model of the best weights, and the range of its maps."""

from mscam_tf.data.manifests import Manifest
from mscam_tf.errors import RunError
from mscam_tf.files import write_json, write_whole
from mscam_tf.models import build_explainer
from mscam_tf.runs import PERCENTILES, Run, fit_range
from mscam_tf.training.building import build_classifier
from mscam_tf.training.checkpoints import BEST, read_weights
from mscam_tf.training.divergence import DivergedError
from mscam_tf.training.optimization import apply_constraints
from mscam_tf.training.preparation import make_split_dataset

_IMAGES = 64  # Enough for percentiles.


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
    try:
        low, high = fit_range(explainer, (images for images, _ in few))
    except RunError as error:
        raise DivergedError(": its maps are no numbers", error) from error
    values = {"low": low, "high": high, "percentiles": PERCENTILES}
    write_json(run.folder / "display.json", values)


def _write_model(run: Run) -> None:
    model = build_classifier(run.config, len(run.class_names), weights=None)
    read_weights(model, run.folder / BEST)
    apply_constraints(model)
    with write_whole(run.folder / "model.keras") as partial:
        model.save(partial)
