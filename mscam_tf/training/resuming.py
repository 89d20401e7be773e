"""Go on with a training that was stopped, and with nothing else."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from importlib.metadata import version
from pathlib import Path, PurePath
from typing import Any

from mscam_tf.data.manifests import (
    Manifest,
    ManifestError,
    Sample,
    Spellings,
    read_manifest,
    write_manifest,
)
from mscam_tf.data.reading import Problem, write_problems
from mscam_tf.errors import RunError
from mscam_tf.files import read_table, write_table
from mscam_tf.folders import check_replaceable, find_unfinished
from mscam_tf.outputs import check_entries, check_writable
from mscam_tf.runs import RUN_FOLDER, Run, TrainConfig, check_own_data, open_run
from mscam_tf.training.checkpoints import BEST
from mscam_tf.training.finishing import DISPLAY, MODEL
from mscam_tf.training.marks import Marks

MARKS, SKIPPED = "marks.csv", "skipped.csv"
_LISTED = 5
_LOGGER = logging.getLogger(__name__)


def find_begun(folder: str | Path) -> Run | None:
    """Return what `train(..., resume=True)` goes on with in a folder: a training, or `None`.

    Args:
        folder: The run folder. What is begun while an older run is still there lies beside it.

    Raises:
        OutputError: If a command is training there, or what is there cannot be replaced.
        RunError: If its settings cannot be read, a file is where a folder should be, or a run that
            was finished has lost its model and its best weights.
    """
    place = find_unfinished(Path(folder), RUN_FOLDER.state) or Path(folder)
    begun = is_unfinished(place) or (place / MODEL).is_file() or (place / DISPLAY).is_file()
    if not (begun and RUN_FOLDER.is_at(place)):
        check_replaceable(place.resolve())
        return None
    if is_unfinished(place):
        check_writable(place)
    elif not ((place / MODEL).is_file() or (place / BEST).is_file()):
        raise RunError(
            f"{place} was finished, and has lost its {MODEL} and its {BEST}: put one of them back, "
            "or begin anew with --overwrite (overwrite=True)."
        )
    check_entries(place, RUN_FOLDER)
    return open_run(place)


def is_unfinished(folder: Path) -> bool:
    """Whether a folder holds a training that was stopped before its end."""
    return (folder / RUN_FOLDER.state).is_file()


def check_config_again(begun: Run, config: TrainConfig) -> None:
    """Refuse settings other than those that a training was begun with.

    What is chosen by the images or by the weights may be left open, as it was then.

    Raises:
        RunError: If some differ; it names them.
    """
    known, given = begun.config, config.resolve()
    if given.read.window is None and given.window_percentiles == known.window_percentiles:
        given = replace(given, read=replace(given.read, window=known.read.window))
    given = replace(
        given,
        image_size=given.image_size or known.image_size,
        pooling=known.pooling if given.pooling == "auto" else given.pooling,
        scales=known.scales if given.scales is None else given.scales,
        views=known.views if given.views is None else given.views,
    )
    names = [f.name for f in fields(known) if getattr(known, f.name) != getattr(given, f.name)]
    if names:
        raise RunError(
            f"{begun.folder} was begun with other settings; leave these out to go on with it, or "
            f"begin anew with --overwrite. Expected: {_show(known, names)}. "
            f"Received: {_show(given, names)}"
        )


def _show(config: TrainConfig, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(config, name) for name in names}


def check_images_again(begun: Run, manifest: Manifest) -> Manifest:
    """Return the images of a training with their splits, and refuse others.

    Args:
        begun: The training.
        manifest: The images that are given now, in any spelling; data may have moved since.

    Raises:
        ManifestError: If images, labels or splits differ from those it was begun with; or if its
            images are where they were, and those given are others of the same names.
    """
    known = read_manifest(begun.split_file)
    before = {sample.path: sample for sample in known.samples}
    skipped = _read_skipped(begun)
    spellings = Spellings([*before, *skipped], begun.data)
    given = {spellings.find(s.path, manifest.root) or s.path: s for s in manifest.samples}
    given = {path: sample for path, sample in given.items() if path not in skipped}
    differing = before.keys() ^ given.keys()
    differing |= {path for path in before.keys() & given if _differ(before[path], given[path])}
    _refuse(begun, differing, "images or labels")
    samples = tuple(replace(given[path], split=before[path].split) for path in before)
    found = replace(manifest, samples=samples)
    check_own_data(begun, found, "begin anew with --overwrite")
    return found


def write_marks(run: Run, manifest: Manifest, marks: Marks | None) -> None:
    """Write a table of the images in which objects are marked, with a hash of each."""
    if marks is not None:
        names = [sample.path for sample in manifest.samples]
        rows = [{"path": path, "sha256": found} for path, found in _hash(names, marks).items()]
        write_table(run.folder / MARKS, rows, ("path", "sha256"))


def list_lost(
    begun: Run, manifest: Manifest, problems: Sequence[tuple[Path, str]]
) -> dict[str, Problem]:
    """Return the images that a training goes on without, since they cannot be read any more.

    Args:
        begun: The training.
        manifest: All of its images, from `check_images_again`.
        problems: Those that cannot be read.

    Returns:
        The problem of each, by its path in the run's `split.csv`.
    """
    reasons = dict(problems)
    known = read_manifest(begun.split_file).samples
    pairs = zip(known, manifest.paths, strict=True)
    return {
        sample.path: Problem(Path(begun.data) / sample.path, reasons[path])
        for sample, path in pairs
        if path in reasons
    }


def drop_lost(run: Run, lost: Mapping[str, Problem]) -> None:
    """Take lost images out of what a run was begun with, and list them as skipped."""
    if not lost:
        return
    _LOGGER.warning(
        "%d images can no longer be read; the training goes on without them.", len(lost)
    )
    skipped, marked = run.folder / SKIPPED, run.folder / MARKS
    former = [Problem(Path(r["path"]), r["reason"]) for r in _read_rows(skipped)]
    write_problems([*former, *lost.values()], skipped)
    if marked.exists():
        kept = [row for row in read_table(marked) if row["path"] not in lost]
        write_table(marked, kept, ("path", "sha256"))
    known = read_manifest(run.split_file)
    samples = tuple(sample for sample in known.samples if sample.path not in lost)
    write_manifest(replace(known, samples=samples), run.split_file)


def _read_rows(path: Path) -> list[dict[str, str]]:
    return read_table(path) if path.exists() else []


def check_marks_again(begun: Run, marks: Marks | None, lost: Collection[str] = ()) -> None:
    """Refuse masks and boxes other than those that a training was begun with.

    Args:
        begun: The training.
        marks: Those of the images that `check_images_again` returned.
        lost: Paths of images that are left out since.

    Raises:
        ManifestError: If some differ; it names their images. An older version may have read the
            same ones otherwise: to go on would change what the maps learn.
    """
    rows = _read_rows(begun.folder / MARKS)
    known = {row["path"]: row["sha256"] for row in rows if row["path"] not in lost}
    samples = read_manifest(begun.split_file).samples
    names = [sample.path for sample in samples if sample.path not in lost]
    differing = known.items() ^ _hash(names, marks).items()
    _refuse(begun, {path for path, _ in differing}, "masks or boxes", _name_older(begun))


def _name_older(begun: Run) -> str:
    """Return the version that began a training, if it is not this one."""
    name = "mscam-tf"
    older, present = begun.versions.get(name, "unknown"), version(name)
    return "" if older == present else f"{name} {older}"


def _hash(names: Sequence[str], marks: Marks | None) -> dict[str, str]:
    """Return a hash of what is marked, for each image in which something is."""
    if marks is None:
        return {}
    hashes = {path: marks.hash(index) for index, path in enumerate(names)}
    return {path: found for path, found in hashes.items() if found}


def _refuse(begun: Run, differing: Collection[str], what: str, older: str = "") -> None:
    if differing:
        shown = ", ".join(sorted(differing)[:_LISTED])
        why = f", or by {older}, which may read some otherwise" if older else ""
        how = ", or finish it with that version" if older else ""
        raise ManifestError(
            f"{begun.folder} was begun with other {what}{why}; give the same ones to go on "
            f"with it{how}, or begin anew with --overwrite. Received: {len(differing)} that "
            f"differ: {shown}"
        )


def _differ(known: Sample, given: Sample) -> bool:
    return known.label != given.label or given.split not in ("", known.split)


def _read_skipped(begun: Run) -> set[str]:
    """Read which images were left out, relative to the folder in which the data were."""
    paths = [PurePath(row["path"]) for row in _read_rows(begun.folder / SKIPPED)]
    within = (p.relative_to(begun.data) if p.is_relative_to(begun.data) else p for p in paths)
    return {path.as_posix() for path in within}
