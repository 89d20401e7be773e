"""Lists of labelled images: from class folders or a CSV file, and back into one."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from mscam_tf.data.reading import SUFFIXES, is_image_file
from mscam_tf.errors import MscamError
from mscam_tf.files import TABLE_FORMAT, TableReader, write_table

NO_OBJECT, OBJECT = "none", "object"

SPLITS = ("train", "validation", "test")
MANIFEST_FILE = "manifest.csv"
_SPLIT_FOLDERS = {"train", "training", "val", "valid", "validation", "test"}
_COLUMNS = ("path", "label", "group", "split", "mask")
_PATHS = ("path", "mask")


class ManifestError(MscamError):
    """A folder or CSV file of labelled images is not as it should be."""


@dataclass(frozen=True)
class Sample:
    """A labelled image: its path below the manifest's root, and what belongs together with it.

    Attributes:
        path: The image, below the manifest's root or absolute.
        label: Its class.
        group: Images of one group (one film, one fish) stay in one split.
        split: `train`, `validation`, `test`, or empty.
        mask: The image's object mask, like `path`, or empty: nonzero where an object is. Values
            that differ number the objects.
        extra: The other columns of the CSV file, kept so that no command loses them.
    """

    path: str
    label: str
    group: str
    split: str = ""
    mask: str = ""
    extra: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Manifest:
    """A list of labelled images below one folder."""

    root: Path
    samples: tuple[Sample, ...]

    @property
    def class_names(self) -> list[str]:
        """The labels that occur, sorted: their order is the order of the classes."""
        return sorted({sample.label for sample in self.samples})

    @property
    def paths(self) -> list[Path]:
        """The image files."""
        return [self.root / sample.path for sample in self.samples]

    def select(self, split: str) -> "Manifest":
        """Return the samples of one split."""
        chosen = tuple(sample for sample in self.samples if sample.split == split)
        return replace(self, samples=chosen)


def read_manifest(source: str | Path) -> Manifest:
    """List the labelled images of a folder or of a CSV file.

    Args:
        source: A folder with one folder per class, or a CSV file with the columns `path` (absolute,
            or relative to the file's folder), `label` and optionally `group` (images cut from one
            film or one fish belong together), `split` (`train`, `validation`, `test`) and `mask`
            (a picture that is nonzero where an object is). Other columns are kept as they are.
            A folder that holds a `manifest.csv` is read by that file. A folder `masks` is no class.

    Returns:
        A `Manifest`. Without a `group` column each image is a group of its own.

    Raises:
        ManifestError: If there is no such source, no image in it, or one twice, or a row of the
            CSV file is incomplete.

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
        manifest = Manifest(source, tuple(_list_folder(source)))
    elif source.is_file() and source.suffix.lower() == ".csv":
        manifest = Manifest(source.parent, tuple(_list_csv(source)))
    else:
        raise ManifestError(
            "DATA must be a folder with one folder per class, or a .csv file with the columns "
            f"path,label[,group][,split][,mask]. Received: {source}"
        )
    _check_samples(manifest, source)
    return manifest


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
    write_table(path, rows, [*columns, *extra])


def _write_cells(sample: Sample, columns: Sequence[str]) -> dict[str, str]:
    cells = {name: getattr(sample, name) for name in columns}
    return cells | {name: keep_spaces(cells[name]) for name in _PATHS if name in cells}


@contextmanager
def open_table(path: Path) -> Iterator[TableReader]:
    """Open a CSV file of the user's for reading.

    Raises:
        ManifestError: If it is not UTF-8, as Excel writes it unless told otherwise, or a quotation
            mark is not closed.
    """
    with path.open(**{**TABLE_FORMAT, "encoding": "utf-8-sig"}) as file:
        reader = TableReader(file)
        try:
            yield reader
        except UnicodeDecodeError as error:
            raise ManifestError(
                f"A CSV file must be in UTF-8: save it as UTF-8. Received: {path}, {error}"
            ) from None
        except csv.Error as error:
            raise ManifestError(
                f"{path}, after line {reader.line_num}: expected rows of a CSV file, with each "
                f"quotation mark closed. Received: {error}"
            ) from None


def _list_folder(folder: Path) -> Iterable[Sample]:
    for path in sorted(folder.glob("*/**/*")):
        if is_image_file(path, folder):
            relative = path.relative_to(folder)
            yield Sample(relative.as_posix(), relative.parts[0], relative.as_posix())


def _list_csv(source: Path) -> Iterable[Sample]:
    with open_table(source) as reader:
        missing = {"path", "label"} - set(reader.fieldnames or ())
        if missing:
            raise ManifestError(
                f"{source} must have the columns path and label. Received: {reader.fieldnames}"
            )
        for row in reader:
            yield _read_row(row, f"{source}, line {reader.line_num}")


def _read_row(row: dict[str, str | None], place: str) -> Sample:
    if None in row:  # Where the csv module puts them; an unquoted comma in a path makes one.
        raise ManifestError(f"{place}: more cells than the header has columns. Received: {row}")
    values = {name: (row.get(name) or "").strip() for name in _COLUMNS}
    if not values["path"] or not values["label"]:
        raise ManifestError(f"{place}: path and label must not be empty. Received: {row}")
    if values["split"] not in ("", *SPLITS):
        raise ManifestError(
            f"{place}: split must be empty or one of {SPLITS}. Received: {values['split']!r}"
        )
    values |= {name: PurePath(values[name]).as_posix() for name in _PATHS if values[name]}
    values["group"] = values["group"] or values["path"]
    extra = {name: value or "" for name, value in row.items() if name not in _COLUMNS}
    return Sample(**values, extra=extra)


def _check_samples(manifest: Manifest, source: Path) -> None:
    if not manifest.samples:
        raise ManifestError(
            f"No images found. Expected files ({', '.join(SUFFIXES)}) in one folder per class. "
            f"Received: {source}"
        )
    counts = Counter(sample.path for sample in manifest.samples)
    twice = [path for path, count in counts.items() if count > 1]
    if twice:
        raise ManifestError(
            f"Each image must be listed once. Received: {source} with {len(twice)} images listed "
            f"more often, such as {twice[0]}"
        )
    if set(map(str.lower, manifest.class_names)) <= _SPLIT_FOLDERS:
        raise ManifestError(
            "Expected one folder per class, but the folders are named after splits; give a CSV "
            f"file with the columns path,label,split. Received: {source} with "
            f"{manifest.class_names}"
        )
