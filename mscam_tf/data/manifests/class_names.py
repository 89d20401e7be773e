"""Names of the classes that YOLO numbers, and the text files that hold them."""

import logging
from pathlib import Path

import yaml

from mscam_tf.data.manifests.samples import ManifestError

CLASS_FILE = "classes.txt"
LISTS = (CLASS_FILE, "obj.names")
# What the readers of broken files raise; ParsingError of globox is none of these.
FAULTS = (
    *(AttributeError, LookupError, TypeError, ValueError, AssertionError, RecursionError),
    ArithmeticError,
)
_YAML_FILES = ("data.yaml", "dataset.yaml", "data.yml", "dataset.yml")
_LOGGER = logging.getLogger(__name__)


def read_class_names(folder: Path) -> dict[str, str]:
    """Return the names of YOLO's numbers of classes, from a file in the folder or up to two above.

    Of `data/train/labels`, many tools write them into `data/data.yaml`. It is the first that holds
    any, the nearest before others: other programs have files of these names too. Without one there
    are none, and a warning says so.

    Raises:
        ManifestError: If a file cannot be read, or its `names` are none.
    """
    readers = {**dict.fromkeys(LISTS, _read_list), **dict.fromkeys(_YAML_FILES, _read_yaml)}
    for place in (folder, *folder.absolute().parents[:2]):
        for name, read in readers.items():
            names = read(place / name) if (place / name).is_file() else {}
            if names:
                return names
    _LOGGER.warning(
        "There are no names of classes for %s: the numbers are their names. Expected, there or up "
        "to two folders above: one a line in %s, or as `names` in %s.",
        folder,
        " or ".join(LISTS),
        " or ".join(_YAML_FILES),
    )
    return {}


def read_lines(path: Path) -> list[str]:
    """Read the lines of a text file in UTF-8.

    Raises:
        ManifestError: If it is none.
    """
    try:
        # Not `splitlines`: it parts names at signs that other programs take for letters.
        return path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeError) as error:
        raise ManifestError(f"{path} must be a text file. Received: {error}") from error


def say_fault(error: Exception) -> str:
    """Return what a reader of a broken file found wrong."""
    return f"no {error}" if isinstance(error, KeyError) else f"{error}" or type(error).__name__


def _read_list(path: Path) -> dict[str, str]:
    lines = enumerate(read_lines(path))
    return {str(number): name.strip() for number, name in lines if name.strip()}


def _read_yaml(path: Path) -> dict[str, str]:
    try:
        # Names stay as they are written: YAML would read `no` as false, and 010 as 8.
        content = yaml.load("\n".join(read_lines(path)), yaml.BaseLoader)
        names = (content.get("names") if isinstance(content, dict) else None) or ()
        if isinstance(names, str):
            raise TypeError(names)
        pairs = names.items() if isinstance(names, dict) else enumerate(names)
        return {str(number): str(name) for number, name in pairs}
    except (*FAULTS, yaml.YAMLError) as error:
        raise ManifestError(
            f"The `names` of {path} must be a list of the names of the classes, or one by number. "
            f"Received: {say_fault(error)}"
        ) from error
