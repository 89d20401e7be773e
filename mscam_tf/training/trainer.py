"""Train a classifier from a manifest into a run folder."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mscam_tf.data import name_failures
from mscam_tf.data.manifests import Manifest, sample_classes, write_manifest
from mscam_tf.data.reading import check_images, write_problems
from mscam_tf.errors import RunError
from mscam_tf.files import write_json, write_whole
from mscam_tf.folders import replace_folder
from mscam_tf.fused_norms import fuse_norms
from mscam_tf.models import (
    Pretrained,
    build_explainer,
    initialize_heads,
)
from mscam_tf.outputs import claim
from mscam_tf.runs import RUN_FOLDER, Run, TrainConfig, choose_task, create_run
from mscam_tf.training.building import build_classifier, check_names, resolve_pooling
from mscam_tf.training.callbacks import RelevanceLogger
from mscam_tf.training.deep_supervision import show_heads
from mscam_tf.training.optimization import (
    apply_constraints,
    average_weights,
    compile_classifier,
    make_schedule,
)
from mscam_tf.training.preparation import (
    choose_image_size,
    leave_out,
    make_split_dataset,
    note_sizes,
    resolve_window,
)

_BEST = Path("checkpoints") / "best.weights.h5"
_HEAD_LEARNING_RATE = 1e-3  # While only the new heads train, on a frozen backbone.
_HEAD_IMAGES = 512  # Enough to fit heads in the span of the pretrained ones.
_DISPLAY_PERCENTILES = (1.0, 99.5)
_DISPLAY_IMAGES = 64  # Enough for percentiles, and all maps of them fit into memory.


def train(
    manifest: Manifest,
    folder: str | Path,
    config: TrainConfig | None = None,
    *,
    overwrite: bool = False,
    skip_bad: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    on_check: Callable[[int], None] | None = None,
) -> Run:
    """Train a classifier and write a run folder.

    The images are checked first (all unreadable ones are named at once), then split 7:1:2 with
    groups kept together, unless the manifest has splits. Classes of unequal size are weighted to
    count alike (`balance`; several findings in one image are not). With `weights="xray"` each class
    starts from the pretrained target that tells it best (`mscam_tf.initialize_heads`); with other
    weights the backbone is frozen while the heads settle. Then all is trained: the learning rate
    rises over a tenth of the steps, and falls as a cosine. The weights are averaged over about 20
    steps, and those with the lowest validation loss are kept.

    The folder holds `config.json`, `split.csv`, `history.csv`, TensorBoard logs, `checkpoints/`,
    `model.keras` and `display.json` (the range of the maps over the validation images, in
    logits: the scale of all pictures of the run).

    Args:
        manifest: Labelled images, from `mscam_tf.read_manifest`.
        folder: The run folder to create.
        config: Settings; `TrainConfig()` by default.
        overwrite: Replace an existing run, once the new one is finished. Other files stay.
        skip_bad: Leave out images that cannot be read, and list them in `skipped.csv`.
        callbacks: More Keras callbacks. With deep supervision their model also returns the logits
            of each head, `(batch, C, 1 + B)`, those of the classifier first.
        on_check: Called with 1 after each image is checked.

    Returns:
        The finished `Run`.

    Raises:
        RunError: If the folder is in the way, or the training diverges.
        ImageError: If images cannot be read.
        ManifestError: If no honest split exists, or none is left without the skipped images.
    """
    folder, config = Path(folder), (config or TrainConfig()).resolve()
    claim(folder, RUN_FOLDER, overwrite=overwrite, inputs=(manifest.root, *manifest.paths))
    check_names(config)
    config, task = resolve_pooling(config), choose_task(config.several)
    manifest = task.split(manifest, config.seed)
    config = resolve_window(config, manifest.select("train").paths)
    measured, problems = check_images(manifest.paths, config.read, on_check, skip_bad=skip_bad)
    manifest = leave_out(manifest, problems, task)
    sizes = list(measured.values())
    image_size = config.image_size or choose_image_size(sizes)
    config = replace(config, image_size=image_size)
    note_sizes(sizes, image_size)
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(config.precision)
    try:
        keras.utils.set_random_seed(config.seed)
        # Before the folder: a wrong name or weights file must not cost the run that is there.
        class_names = task.list_classes(manifest)
        model = build_classifier(config, len(class_names), config.weights)
        with replace_folder(folder, RUN_FOLDER.entries) as place:
            run = create_run(place, config, class_names, str(manifest.root.resolve()))
            write_manifest(manifest, run.split_file)
            if problems:
                write_problems(problems, place / "skipped.csv")
            with name_failures(manifest.paths, config.read):
                _fit(model, run, manifest, callbacks)
    finally:
        keras.config.set_dtype_policy(previous)
    return replace(run, folder=folder)


def _fit(
    model: keras.Model,
    run: Run,
    manifest: Manifest,
    callbacks: Sequence[keras.callbacks.Callback],
) -> None:
    config = run.config
    pretrained = config.start.read() if config.starts_heads else None
    if pretrained is not None:
        _start_heads(model, pretrained, run, manifest.select("train"))
    weights = run.task.weigh_classes(manifest.select("train")) if config.balance else None
    datasets = {
        "x": make_split_dataset(run, manifest.select("train"), training=True),
        "validation_data": make_split_dataset(run, manifest.select("validation")),
        "class_weight": weights,
        "shuffle": False,  # The dataset shuffles itself.
        "verbose": 0,
    }
    common = [*_make_callbacks(run), *callbacks]
    frozen = min(config.frozen_epochs or 0, config.epochs) if config.weights else 0
    deep = config.deep_supervision if config.model == "multiscale" else 0.0
    trainer = show_heads(model) if deep else model  # The same layers.
    options: dict[str, Any] = {
        "task": run.task,
        "deep_supervision": deep,
        "weight_decay": config.weight_decay,
        "jit_compile": config.xla,
    }
    if frozen:
        model.get_layer("backbone").trainable = False
        compile_classifier(trainer, _HEAD_LEARNING_RATE, **options)
        with fuse_norms(trainer):
            trainer.fit(**datasets, epochs=frozen, callbacks=[average_weights(), *common])
        model.get_layer("backbone").trainable = True
    if config.epochs > frozen:
        steps = len(datasets["x"]) * (config.epochs - frozen)
        compile_classifier(trainer, make_schedule(config.learning_rate, steps), **options)
        stop = keras.callbacks.EarlyStopping("val_loss", patience=config.patience)
        with fuse_norms(trainer):
            trainer.fit(
                **datasets,
                epochs=config.epochs,
                initial_epoch=frozen,
                callbacks=[average_weights(), *common, stop],
            )
    _finish(run, datasets["validation_data"])


def _start_heads(model: keras.Model, pretrained: Pretrained, run: Run, manifest: Manifest) -> None:
    """Fit the heads to some of the training images, of each class alike many."""
    few = sample_classes(manifest, _HEAD_IMAGES, run.config.seed)
    images = make_split_dataset(run, few).map(lambda images, _: images)
    initialize_heads(model, images, run.task.encode(few), pretrained)


def _make_callbacks(run: Run) -> list[keras.callbacks.Callback]:
    (run.folder / _BEST).parent.mkdir()
    return [
        keras.callbacks.TerminateOnNaN(),
        RelevanceLogger(run.class_names),
        keras.callbacks.ModelCheckpoint(
            _escape(run.folder / _BEST),
            monitor="val_loss",
            save_best_only=True,
            save_weights_only=True,
        ),
        keras.callbacks.CSVLogger(run.folder / "history.csv", append=True),
        keras.callbacks.TensorBoard(run.folder / "tensorboard", write_graph=False),
    ]


def _escape(path: Path) -> str:
    """Keep Keras from reading braces in the name of a folder as a template."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _finish(run: Run, validation: tf.data.Dataset) -> None:
    """Keep the best weights, without the optimizer's state, and fit the range of the maps."""
    model = build_classifier(run.config, len(run.class_names), weights=None)
    model.load_weights(run.folder / _BEST)
    apply_constraints(model)
    few = validation.take(-(-_DISPLAY_IMAGES // run.config.batch_size))
    maps = build_explainer(model, activation=run.task.activation).predict(few, verbose=0)["maps"]
    if not np.isfinite(maps).all():
        raise RunError("The training diverged: its loss is no number. Lower the learning rate.")
    low, high = np.percentile(maps, _DISPLAY_PERCENTILES)
    values = {"low": float(low), "high": float(high), "percentiles": _DISPLAY_PERCENTILES}
    write_json(run.folder / "display.json", values)
    with write_whole(run.folder / "model.keras") as partial:
        model.save(partial)
