"""Lists of labelled images: from class folders or a CSV file, and back into one."""

import logging
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path, PurePath

from mscam_tf.data.manifests.findings import split_findings
from mscam_tf.data.manifests.layouts import list_classes
from mscam_tf.data.manifests.naming import loosen
from mscam_tf.data.manifests.samples import (
    MANIFEST_FILE,
    NO_OBJECT,
    SPLITS,
    Manifest,
    ManifestError,
    Sample,
    check_label,
)
from mscam_tf.data.manifests.spelling import find_spelling, identify
from mscam_tf.data.manifests.tables import Row, open_table, parse_number
from mscam_tf.data.reading import SUFFIXES
from mscam_tf.files import write_table
from mscam_tf.names import show_place

_LOGGER = logging.getLogger(__name__)
_COLUMNS = ("path", "label", "group", "split", "mask")
_PATHS = ("path", "mask")


def read_manifest(source: str | Path) -> Manifest:
    """List the labelled images of a folder or of a CSV file.

    Args:
        source: A folder with one folder per class, or a CSV file with the columns `path` (absolute,
            or relative to the file's folder), `label` and optionally `group` (images cut from one
            film or one fish belong together), `split` (`train`, `validation`, `test`) and `mask`
            (a picture that is nonzero where an object is). Other columns are kept as they are.
            A folder that holds a `manifest.csv` is read by that file. A folder `masks` is no class.
            Folders named after splits, in any spelling, hold one folder per class each; masks in a
            folder `ground_truth` beside them are taken.

    Returns:
        A `Manifest`. Without a `group` column each image is a group of its own. What a folder holds
        beside its images is counted in a warning.

    Raises:
        ManifestError: If there is no such source, no image in it, or one twice, if a row of the
            CSV file is incomplete, a label has line breaks or other control characters, or the
            folders are neither classes nor splits with classes.

    Examples:
        >>> import tempfile, pathlib
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> for name in ["bone/a.png", "bone/b.png", "none/a.png"]:
        ...     (folder / name).parent.mkdir(exist_ok=True)
        ...     (folder / name).touch()
        >>> [(sample.path, sample.label) for sample in read_manifest(folder).samples]
        [('bone/a.png', 'bone'), ('bone/b.png', 'bone'), ('none/a.png', 'none')]
    """
    source = Path(source)
    if (source / MANIFEST_FILE).is_file():
        source = source / MANIFEST_FILE
    if source.is_dir():
        manifest = Manifest(source, tuple(list_classes(source)))
    elif source.is_file() and is_manifest(source):
        manifest = Manifest(source.parent, tuple(_list_csv(source)))
    else:
        raise ManifestError(
            "DATA must be a folder with one folder per class, or a .csv file with the columns "
            f"path,label[,group][,split][,mask]. Received: {show_place(source)}"
            + (", which is not there" if not source.exists() else "")
        )
    _check_samples(manifest, source)
    return manifest


def is_manifest(source: Path) -> bool:
    """Whether images come from a CSV file, and not from the folders in which they are."""
    return source.suffix.lower() == ".csv" or (source / MANIFEST_FILE).is_file()


def keep_spaces(path: str) -> str:
    """Write a path so that spaces before the name survive reading, which strips every cell.

    Examples:
        >>> keep_spaces("a.png"), keep_spaces(" a.png")
        ('a.png', './ a.png')
    """
    return f"./{path}" if path != path.lstrip() else path


def write_manifest(manifest: Manifest, path: str | Path) -> None:
    """Write the samples as a CSV file: path, label, group, split, any masks, all other columns.

    Paths are written as they stand in the samples; `relocate` them first if the file is not to
    lie in the manifest's root.
    """
    masked = any(sample.mask for sample in manifest.samples)
    columns = _COLUMNS if masked else _COLUMNS[:-1]
    extra = list(dict.fromkeys(name for sample in manifest.samples for name in sample.extra))
    rows = [{**_write_cells(sample, columns), **sample.extra} for sample in manifest.samples]
    # A column without a name, as tables of pandas have, would be taken for none at the end.
    nameless = [name for name in extra if not name.strip()]
    write_table(path, rows, [*nameless, *columns, *(n for n in extra if n not in nameless)])


def _write_cells(sample: Sample, columns: Sequence[str]) -> dict[str, str]:
    cells = {name: getattr(sample, name) for name in columns}
    return cells | {name: keep_spaces(cells[name]) for name in _PATHS if name in cells}


def _list_csv(source: Path) -> Iterable[Sample]:
    columns, rows = open_table(source, _COLUMNS)
    if {"path", "label"} - set(columns):
        raise ManifestError(f"{source} must have the columns path and label. Received: {columns}")
    places: dict[Hashable, str] = {}
    for row in rows:
        sample = _read_row(row, source.parent)
        place = f"{row.place} ({sample.path})"
        first = places.setdefault(identify(source.parent / sample.path), place)
        if first != place:
            raise ManifestError(
                f"Each image must be listed once. Received: one file twice, in {first} and {place}"
            )
        yield sample


def _read_row(row: Row, root: Path) -> Sample:
    place, cells = row
    values = {name: cells.get(name, "").strip() for name in _COLUMNS}
    if not values["path"] or not values["label"]:
        raise ManifestError(f"{place}: path and label must not be empty. Received: {cells}")
    if values["split"] not in ("", *SPLITS):
        raise ManifestError(
            f"{place}: split must be empty or one of {SPLITS}. Received: {values['split']!r}"
        )
    for name in filter(values.get, _PATHS):
        values[name] = PurePath(find_spelling(values[name], root)).as_posix()
    values["group"] = values["group"] or values["path"]
    extra = {name: cell for name, cell in cells.items() if name not in _COLUMNS}
    return Sample(**values, extra=extra, place=place)


def _check_samples(manifest: Manifest, source: Path) -> None:
    if not manifest.samples and is_manifest(source):
        raise ManifestError(f"{source} lists no images: it has no rows below its header.")
    if not manifest.samples:
        raise ManifestError(
            f"No images found. Expected files ({', '.join(SUFFIXES)}) in one folder per class. "
            f"Received: {show_place(source)}"
        )
    for sample in manifest.samples:
        check_label(sample.label, sample.place or repr(str(source / sample.path)))
    for name in manifest.class_names:
        if loosen(name) == NO_OBJECT != name:
            _LOGGER.warning("%r is a class with objects; that without any is 'none'.", name)
    findings = {name for label in manifest.class_names for name in split_findings(label)}
    for names in _list_alike(sorted({*manifest.class_names, *findings})):
        _LOGGER.warning("Labels that hardly differ are different classes: %s.", names)
    for names in _list_alike(sorted({s.group for s in manifest.samples if s.group != s.path})):
        _LOGGER.warning("Groups that hardly differ are different groups: %s.", names)


def _list_alike(names: Sequence[str]) -> list[list[str]]:
    """List names that are shown alike, or are one number, as 1 and 1.0 are."""
    alike: dict[str | float, list[str]] = defaultdict(list)
    for name in names:
        number = parse_number(name)
        alike[loosen(name) if number is None else number].append(name)
    return [same for same in alike.values() if len(same) > 1]
