"""Reproduce the paper: simulate, train and score all trials, and write tables, figures, a page."""

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import jinja2
import keras

from mscam_tf.analysis import write_analysis
from mscam_tf.data.manifests import (
    MANIFEST_FILE,
    Manifest,
    read_manifest,
    sample_classes,
    split_manifest,
)
from mscam_tf.experiments.config import ReproductionConfig
from mscam_tf.experiments.figure import draw_examples
from mscam_tf.experiments.scores import list_versions, read_scores
from mscam_tf.experiments.tables import describe_differences, describe_models, to_markdown
from mscam_tf.experiments.trials import (
    MODELS,
    Trial,
    check_classes,
    configure,
    list_trials,
    run_trials,
)
from mscam_tf.files import write_json, write_table, write_text
from mscam_tf.locks import hold
from mscam_tf.outputs import Kind, claim
from mscam_tf.records import check_settings, read_json
from mscam_tf.runs import TrainConfig, open_run, open_session
from mscam_tf.simulation import Plan, SimulationConfig, write_radiographs
from mscam_tf.training import check_config

DATA_SEED, FRESH_SEED = 20_210_000, 20_210_001  # Pretraining uses other seeds.
_ANALYSED = 400  # Images of the failure analysis at most.
_FOLDER = Kind(
    "a reproduction", "config.json", keys=("simulation", "training", "fresh"), continued=True
)


def reproduce(
    folder: str | Path,
    config: ReproductionConfig | None = None,
    data: Manifest | None = None,
    *,
    processes: int = 1,
    callbacks: Callable[[Trial], Sequence[keras.callbacks.Callback]] = lambda trial: (),  # noqa: ARG005
    on_image: Callable[[int], None] | None = None,
    on_trial: Callable[[Trial], None] | None = None,
) -> Path:
    """Run the experiment of the paper on simulated radiographs, or on your own.

    Three models are trained on the same splits: (a) the single-scale one on two classes, (b) on all
    classes, (c) the multi-scale one on all classes. The folder then holds `table1` and
    `differences` (CSV and Markdown), `scores.csv` (of each trial), for each start whose model (c)
    of seed 0 lies there `figures/START.png` and `failures/START` (what `mscam analyze` writes), and
    `index.html`. What is finished is never done again: a reproduction that was stopped goes on, and
    more seeds and starts join those that are there. What `scores.csv` lists is finished, even if
    its model is not there: of simulated radiographs, it goes on elsewhere with `config.json`.

    Args:
        folder: Where to write; an unfinished reproduction in it goes on.
        config: Settings.
        data: Your own images, one class of which is `none`; by default they are simulated.
        processes: Processes that simulate.
        callbacks: Makes more Keras callbacks for the training of a trial.
        on_image: Called with 1 after each simulated image.
        on_trial: Called with each trial that is done; the tables are up to date by then.

    Returns:
        The page, `index.html`.

    Raises:
        ValueError: If the folder holds a reproduction with other settings, or another command
            works in it.
        ManifestError: If the data have no class `none`.

    References:
        Lee and Cho, 2021, Table 1, Figure 1, section 4.3.
    """
    folder, config = Path(folder), config or ReproductionConfig()
    keep_settings(folder, config, data)
    with hold(folder):  # Two at once would lose scores of each other.
        fresh = None
        if data is None:
            data = _simulate(folder / "data", config.images, DATA_SEED, config, processes, on_image)
            if config.fresh:
                place = folder / "fresh"
                fresh = _simulate(place, config.fresh, FRESH_SEED, config, processes, on_image)
        trials = list_trials(config.weights, config.seeds)
        for trial in run_trials(folder, data, fresh, trials, config.training, callbacks):
            write_tables(folder)
            if on_trial is not None:
                on_trial(trial)
        for weights in config.weights:
            _draw(folder, Trial(MODELS[-1], weights, 0), data, fresh)
        return write_page(folder, len(fresh.samples) if fresh else 0)


def write_tables(folder: Path) -> None:
    """Write `table1` and `differences`, as CSV and Markdown, of the trials that are done."""
    found = read_scores(folder, [model.name for model in MODELS])
    for name, rows in (
        ("table1", describe_models(found)),
        ("differences", describe_differences(found)),
    ):
        write_table(folder / f"{name}.csv", rows)
        write_text(folder / f"{name}.md", to_markdown(rows))


def list_settings(folder: Path) -> dict[str, object]:
    """List the settings of a reproduction that are not the default."""
    known = read_json(folder / "config.json")
    usual = json.loads(json.dumps({"data": ""} | asdict(ReproductionConfig())))
    groups = ("simulation", "training")  # Compared each by itself: both have an `image_size`.
    pairs = [(known, usual), *((known[group], usual[group]) for group in groups)]
    return {
        name: value
        for values, others in pairs
        for name, value in values.items()
        if name not in groups and value != others.get(name)
    }


def write_page(folder: Path, fresh: int) -> Path:
    """Write `index.html` with the tables, the figures and the advice of all starts.

    Args:
        folder: Of the reproduction.
        fresh: On how many images every model is scored beside the test split.
    """
    found = read_scores(folder, [model.name for model in MODELS])
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("mscam_tf.experiments"), autoescape=True
    )
    starts = sorted(path.parent.name for path in (folder / "failures").glob("[!.]*/advice.md"))
    tables = {"Table 1": describe_models(found), "Paired differences": describe_differences(found)}
    page = environment.get_template("reproduction.html").render(
        tables=tables,
        fresh=fresh,
        settings=list_settings(folder),
        starts=[_list_pictures(folder, start) for start in starts],
        versions=list_versions(folder),
    )
    path = folder / "index.html"
    write_text(path, page)
    return path


def _list_pictures(folder: Path, start: str) -> dict[str, object]:
    """Say what the page shows of one start."""
    place = Path("failures") / start
    pictures = sorted((folder / place / "confusions").glob("*.png"))
    return {
        "name": start,
        "figure": (folder / "figures" / f"{start}.png").exists(),
        "overlaps": (place / "overlaps.png").as_posix() if pictures else "",
        "pictures": [path.relative_to(folder).as_posix() for path in pictures],
        "advice": (folder / place / "advice.md").read_text(encoding="utf-8"),
    }


def keep_settings(folder: Path, config: ReproductionConfig, data: Manifest | None) -> None:
    """Keep the settings that decide what a trial is; more seeds and starts may follow later.

    Raises:
        ValueError: If the folder was begun with others, or if they cannot be trained: before
            anything is written or simulated.
    """
    settings = {
        "data": "" if data is None else _hash_manifest(data),
        "images": config.images,
        "fresh": config.fresh,
        "simulation": asdict(config.simulation),
        "training": asdict(config.training),
    }
    claim(folder, _FOLDER)
    path = folder / _FOLDER.marker
    training = TrainConfig(map_weight=0)  # Older versions learnt from the labels alone.
    defaults = {"simulation": asdict(SimulationConfig()), "training": asdict(training)}
    check_settings(path, settings, defaults=defaults)
    if data is not None:
        check_classes(data)
    for weights in config.weights:
        check_config(configure(Trial(MODELS[-1], weights, 0), config.training))
    write_json(path, settings)


def _hash_manifest(data: Manifest) -> str:
    pairs = zip(data.paths, data.samples, strict=True)
    rows = [(str(path.resolve()), s.label, s.group, s.split) for path, s in pairs]
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def _simulate(
    folder: Path,
    images: int,
    seed: int,
    config: ReproductionConfig,
    processes: int,
    on_image: Callable[[int], None] | None,
) -> Manifest:
    if not (folder / MANIFEST_FILE).exists():  # Which is written last.
        plan = Plan(images, config.simulation, seed=seed)
        write_radiographs(folder, plan, processes=processes, on_progress=on_image)
    return read_manifest(folder)


def _draw(folder: Path, trial: Trial, data: Manifest, fresh: Manifest | None) -> None:
    """Draw Figure 1 and analyse the failures of one multi-scale model, if it is here."""
    if not (trial.locate(folder) / "model.keras").exists():
        return  # Only its scores are.
    start = trial.start
    figure, failures = folder / "figures" / f"{start}.png", folder / "failures" / start
    analysed = (failures / "advice.md").exists()
    if analysed and figure.exists():
        return
    session = open_session(open_run(trial.locate(folder)))
    images = fresh or split_manifest(data, trial.seed).select("test")
    if not analysed:
        shutil.rmtree(failures, ignore_errors=True)
        write_analysis(session, sample_classes(images, _ANALYSED), failures)
    if not figure.exists():
        draw_examples(session, images, figure)
