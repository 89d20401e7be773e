"""Train on a stream of scenes, from where it stopped."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np

from mscam_tf.errors import name_full_disk
from mscam_tf.files import write_whole
from mscam_tf.folders import drop_partial_files
from mscam_tf.fused_norms import fuse_norms
from mscam_tf.locks import hold
from mscam_tf.models import build_explainer, write_pretrained
from mscam_tf.pretraining.checkpoints import PROBE_BATCHES, Keeper, check_folder, open_folder
from mscam_tf.pretraining.config import PretrainConfig
from mscam_tf.pretraining.models import build_pretraining_models
from mscam_tf.pretraining.probes import PROBE_SEED
from mscam_tf.pretraining.soft_pooling import pool_softly
from mscam_tf.pretraining.supervision import make_map_targets
from mscam_tf.runs import fit_range
from mscam_tf.simulation import TARGETS, SceneBatch, simulate_batch, stream_batches
from mscam_tf.swaps import make_folder
from mscam_tf.training import use_precision

CALIBRATION_SCENES = 2000


def pretrain(
    folder: str | Path,
    config: PretrainConfig | None = None,
    *,
    processes: int = 1,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    probe_batches: int = PROBE_BATCHES,
    calibration_scenes: int = CALIBRATION_SCENES,
) -> keras.Model:
    r"""Pretrain the multi-scale classifier on endless simulated scenes.

    The loss is the binary cross entropy of the image's targets, plus `map_weight` times that of
    each scale's map, and `B` times that of the sum of the `B` scales, so that their mix points too,
    against the objects' masks: `sigmoid(g M_b^c + o)` against
    the root of the share of each cell that the objects cover, with a gain `g` and an offset `o`
    for each map that are learned and then dropped. Since a map is linear in the features of its
    place, this teaches features to speak about the place that they are at. While it trains, a logit
    is the mean of its map; in the end the maps are pooled softly (`mscam_tf.SoftPool`), which tells
    more, and the biases are fitted anew to scenes of their own.

    The folder holds `config.json`, the checkpoint, `history.csv` with a probe on fixed scenes
    every `save_every` steps, and at the end `model.keras` and, in float16, `weights.npz` with its
    description in `weights.json`. A run that was stopped goes on from its
    last checkpoint with the very scenes that it would have seen. One that is finished goes on, with
    more `steps`, from the last checkpoint before its learning rate fell.

    Args:
        folder: Where to write; an unfinished pretraining in it goes on.
        config: Settings; `PretrainConfig()` by default.
        processes: Processes that simulate while the model trains; 0 for none. With some, a script
            needs the usual `if __name__ == "__main__"`.
        callbacks: More Keras callbacks.
        probe_batches: Batches of 32 fixed scenes on which each checkpoint is probed.
        calibration_scenes: Scenes to which the biases are fitted in the end.

    Returns:
        The classifier, with `mscam_tf.simulation.TARGETS` as classes.

    Raises:
        ValueError: If the folder holds something else, or a pretraining with other settings or
            more steps; or if the training diverges.
    """
    folder, config = Path(folder), config or PretrainConfig()
    check_folder(folder, config)
    with make_folder(folder), hold(folder), name_full_disk(folder):
        drop_partial_files(folder)
        with use_precision(config.precision, config.seed):
            classifier, trainer = build_pretraining_models(config)
        step = open_folder(folder, config, trainer)
        keeper = Keeper(folder, config, classifier, probe_batches)
        batches = stream_batches(
            config.image_size, config.batch_size, keeper.stride, config.seed, step, processes
        )
        with fuse_norms(trainer):
            _fit(trainer, batches, config, [keras.callbacks.TerminateOnNaN(), keeper, *callbacks])
        steps = int(trainer.optimizer.iterations)
        scenes = simulate_batch(
            config.image_size, calibration_scenes, keeper.stride, PROBE_SEED, 1000
        )
        classifier = pool_softly(classifier, scenes.images, scenes.targets, config)
        with write_whole(folder / "model.keras") as partial:
            classifier.save(partial)
        start = config.weights.name  # With its hash: a word may stand for other weights one day.
        recipe = {**asdict(config), "start": start, "steps": steps, "pooling": "soft"}
        display = fit_display(classifier, scenes.images)
        write_pretrained(classifier, folder / "weights.npz", TARGETS, recipe, display)
    return classifier


def fit_display(classifier: keras.Model, images: np.ndarray) -> tuple[float, float]:
    """Return the range of the maps over the first 64 scenes, in which pictures are coloured."""
    explainer = build_explainer(classifier, activation="sigmoid")
    return fit_range(explainer, (images[i : i + 32] for i in range(0, min(64, len(images)), 32)))


def _fit(
    trainer: keras.Model,
    batches: Iterator[SceneBatch],
    config: PretrainConfig,
    callbacks: Sequence[keras.callbacks.Callback],
) -> None:
    """Fit on the batches, and raise what they raise as it is, not as what Keras makes of it."""
    failures: list[Exception] = []

    def watch() -> Iterator[SceneBatch]:
        try:
            yield from batches
        except Exception as error:
            failures.append(error)
            raise

    try:
        trainer.fit(
            _feed(watch(), config),
            initial_epoch=int(trainer.optimizer.iterations) // config.save_every,
            epochs=config.steps // config.save_every,
            steps_per_epoch=config.save_every,
            shuffle=False,  # The scenes come in no order.
            verbose=0,
            callbacks=callbacks,
        )
    except Exception:
        if failures:
            raise failures[0] from None
        raise


def _feed(
    batches: Iterator[SceneBatch], config: PretrainConfig
) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
    for batch in batches:
        targets = {"logits": batch.targets}
        if config.map_weight:
            targets |= make_map_targets(batch.coverage, batch.hidden, config.scales)
        yield batch.images, targets
