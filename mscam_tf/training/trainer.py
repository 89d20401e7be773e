"""Train a classifier from a manifest into a run folder."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import keras

from mscam_tf.data import name_failures
from mscam_tf.data.manifests import Manifest, write_manifest
from mscam_tf.data.reading import Problem, check_images, write_problems
from mscam_tf.errors import MscamError, name_full_disk
from mscam_tf.folders import replace_folder
from mscam_tf.outputs import claim
from mscam_tf.runs import RUN_FOLDER, Run, TrainConfig, choose_task, create_run
from mscam_tf.training.annotations import read_marks
from mscam_tf.training.building import (
    build_classifier,
    check_names,
    resolve_start,
    use_precision,
)
from mscam_tf.training.checkpoints import drop_state, say_where_it_lies
from mscam_tf.training.distributing import Team
from mscam_tf.training.finishing import finish, mend
from mscam_tf.training.fitting import fit
from mscam_tf.training.joining import open_team
from mscam_tf.training.marks import Marks, split_marks
from mscam_tf.training.notices import say_what_goes_on, warn_of_changed_images
from mscam_tf.training.preparation import (
    choose_image_size,
    leave_out,
    note_sizes,
    resolve_window,
)
from mscam_tf.training.progress import read_progress
from mscam_tf.training.resuming import (
    SKIPPED,
    check_config_again,
    check_images_again,
    check_marks_again,
    drop_lost,
    find_begun,
    is_unfinished,
    list_lost,
    write_marks,
)

_OnCheck = Callable[[int], None]
_Sizes = dict[Path, tuple[int, int]]


def train(
    manifest: Manifest,
    folder: str | Path,
    config: TrainConfig | None = None,
    *,
    overwrite: bool = False,
    resume: bool = False,
    skip_bad: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    on_check: _OnCheck | None = None,
    devices: str = "one",
) -> Run:
    """Train a classifier and write a run folder.

    The images are checked first (all unreadable ones are named at once), then split 7:1:2 with
    groups kept together, unless the manifest has splits. Classes of unequal size are weighted to
    count alike (`balance`; several findings in one image are not). With `weights="xray"` each class
    starts from the pretrained target that tells it best (`mscam_tf.initialize_heads`); with other
    weights the backbone is frozen while the heads settle. Then all is trained: the learning rate
    rises over a tenth of the steps, and falls as a cosine. The weights are averaged over about 20
    steps, and those with the lowest validation loss are kept: a loss that is weighted as that of
    the training is. Where masks or boxes mark objects in training images, the maps learn from them
    too (`map_weight`).

    That is `tune="all"`. With `"heads"` the backbone stays as it is, and the heads are fitted to
    its features, which are computed once: this takes seconds, no epochs and no callbacks, and
    `resume` begins it anew. With `"auto"` the heads are fitted first, then all is trained from
    there, and of the two what has the lower validation loss is kept; `tuning.json` says which.

    A training that was stopped, by a crash, a signal or a full disk, goes on with `resume`: from
    the end of its last epoch, with the weights, the optimizer, the averages, the schedule, the
    patience, the split, and the order and augmentation of images that it would have had. Up to
    rounding it comes to the same model; what `callbacks` remember is theirs.

    The folder holds `config.json`, `split.csv`, `marks.csv` where objects are marked,
    `history.csv`, TensorBoard logs, `checkpoints/`, `model.keras`, `operating_point.json` (the
    thresholds of the maps: at most 5 % of the good validation images reach that of a class),
    `drift.json` (what these images are like, if they are 99 or more) and `display.json` (the range
    of the maps over the validation images, in logits: the scale of all pictures of the run).

    Args:
        manifest: Labelled images, from `mscam_tf.read_manifest`.
        folder: The run folder to create.
        config: Settings; by default `TrainConfig()`, and with `resume` those of the training that
            goes on.
        overwrite: Replace an existing run, once the new one is finished. Other files stay.
        resume: Go on with a training of the folder that was stopped, with the same settings and
            images. A run that is finished is returned as it is, but for a `model.keras` or
            `display.json` that it has lost: they are made anew. Where there is none, one begins.
        skip_bad: Leave out images that cannot be read, and list them in `skipped.csv`: with
            `resume` also those that could be read when the training began.
        callbacks: More Keras callbacks. With deep supervision their model also returns the logits
            of each head, `(batch, C, 1 + B)`, those of the classifier first. Where objects are
            marked it takes these beside the `image`, in a dict.
        on_check: Called with 1 after each image is checked.
        devices: What shares the steps, see `open_team`. Batches, losses and norms are those of
            all devices together: up to rounding it comes to the model of one. Of several processes
            the first one alone writes, and calls `callbacks` and `on_check`.

    Returns:
        The finished `Run`.

    Raises:
        RunError: If the folder is in the way, the training diverges, the disk is full, or the
            training that is to go on has other settings.
        ImageError: If images or masks cannot be read.
        ManifestError: If no honest split exists, or none is left without the skipped images; or if
            the training that is to go on has other images.
    """
    team, folder = open_team(devices), Path(folder)
    if not team.leads:
        callbacks, on_check = (), None
    options = {"overwrite": overwrite, "resume": resume}
    with team.open(folder, resume=resume) as place:
        run = _train(manifest, place, config, callbacks, on_check, team, options, skip_bad=skip_bad)
    return replace(run, folder=folder)


def _train(
    manifest: Manifest,
    folder: Path,
    config: TrainConfig | None,
    callbacks: Sequence[keras.callbacks.Callback],
    on_check: _OnCheck | None,
    team: Team,
    options: Mapping[str, bool],
    *,
    skip_bad: bool,
) -> Run:
    """Train with the part of one process, and into a folder of its own."""
    resume = options["resume"]
    manifest = replace(manifest, root=manifest.root.resolve())  # As it is noted in the folder.
    inputs = (manifest.root, *manifest.paths)
    begun, problems, lost = None, list[Problem](), dict[str, Problem]()
    with team.agree():
        claim(folder, RUN_FOLDER, **options, inputs=inputs)
        if resume:
            begun = find_begun(folder)
            say_what_goes_on(begun, folder)
    team.check_same(start=begun and read_progress(begun.folder))
    with team.agree():
        if begun is None:
            config = config or TrainConfig()
            prepared = _prepare(manifest, config, on_check, skip_bad=skip_bad)
            manifest, config, sizes, problems = prepared
        else:
            check_config_again(begun, config or begun.config)
            manifest, config = check_images_again(begun, manifest), begun.config
            if not is_unfinished(begun.folder):
                if team.leads:
                    mend(begun, manifest)
                return begun
            sizes, problems = check_images(manifest.paths, config.read, on_check, skip_bad=skip_bad)
            lost = list_lost(begun, manifest, problems)
            manifest = leave_out(manifest, problems, choose_task(config.several))
            warn_of_changed_images(begun, manifest)
        team.check(config.batch_size, len(manifest.select("train").samples))
        marks = _read_marks(manifest, config, sizes)
        if begun is not None:
            check_marks_again(begun, marks, lost)
    team.check_same(settings=config, images=manifest.samples)
    with use_precision(config.precision, config.seed):
        with team.agree():
            # Before the folder: a wrong name or weights file must not cost the run that is there.
            class_names = choose_task(config.several).list_classes(manifest)
            weights = None if begun else config.weights
            model = build_classifier(config, len(class_names), weights)
            # Once more: another command may have begun there while the images were checked.
            claim(folder, RUN_FOLDER, **options, inputs=inputs)
        with ExitStack() as end:
            with (
                replace_folder(folder, RUN_FOLDER.entries, RUN_FOLDER.state, resume=resume) as at,
                say_where_it_lies(at),
            ):
                if begun is None:
                    run = create_run(at, config, class_names, str(manifest.root))
                    _write_data(run, manifest, problems, marks)
                else:
                    run = replace(begun, folder=at)
                    drop_lost(run, lost)
                with name_full_disk(at), name_failures(manifest.paths, config.read):
                    with team.name_loss():
                        fit(model, run, manifest, callbacks, marks, team)
                    end.enter_context(team.agree())  # The others wait until all is in its place.
                    if team.leads:
                        finish(run, manifest)
            drop_state(folder)
    return replace(run, folder=folder)


def _prepare(
    manifest: Manifest, config: TrainConfig, on_check: _OnCheck | None, *, skip_bad: bool
) -> tuple[Manifest, TrainConfig, _Sizes, list[Problem]]:
    """Split and check the images, and fill in the settings that depend on them."""
    config = config.resolve()
    check_names(config)
    config, task = resolve_start(config), choose_task(config.several)
    manifest = task.split(manifest, config.seed)
    config = resolve_window(config, manifest.select("train").paths)
    measured, problems = check_images(manifest.paths, config.read, on_check, skip_bad=skip_bad)
    sizes = list(measured.values())
    image_size = config.image_size or choose_image_size(sizes)
    manifest = leave_out(manifest, problems, task)
    note_sizes(sizes, image_size)
    return manifest, replace(config, image_size=image_size), measured, problems


def _read_marks(manifest: Manifest, config: TrainConfig, sizes: _Sizes) -> Marks | None:
    """Read masks and boxes, if the maps are to learn from them and can."""
    if not config.map_weight or config.tune == "heads" or config.image_size is None:
        return None
    task = choose_task(config.several)
    task_of_all = task(task.list_classes(manifest))
    marks = read_marks(manifest, task_of_all, sizes, config.image_size, config.read)
    if marks is None or not split_marks(marks, manifest):
        return None
    if keras.backend.backend() == "jax":
        raise MscamError(
            "Maps learn from masks and boxes on the TensorFlow backend alone: give --map-weight 0 "
            f"(map_weight=0) to train without. Received: map_weight={config.map_weight}"
        )
    return marks


def _write_data(
    run: Run, manifest: Manifest, problems: Sequence[Problem], marks: Marks | None
) -> None:
    write_manifest(manifest, run.split_file)
    write_marks(run, manifest, marks)
    if problems:
        write_problems(problems, run.folder / SKIPPED)
