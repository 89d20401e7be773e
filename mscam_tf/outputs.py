"""Where results may be written, and how folders keep what they were begun with."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mscam_tf.errors import MscamError


class RunError(MscamError):
    """A run folder is missing, incomplete, or in the way."""


def is_empty(folder: Path, overwrite: bool) -> bool:
    """Return whether nothing is in the folder; raise `RunError` if what is may not be replaced."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return True
    if not overwrite:
        raise RunError(f"{folder} exists; choose another folder, or overwrite it (--overwrite).")
    return False


def check_settings(
    path: Path,
    settings: dict[str, Any],
    free: Sequence[str] = (),
    defaults: dict[str, Any] | None = None,
) -> Any:
    """Return the settings that a folder was begun with, or `None` if it was not.

    Args:
        path: The JSON file that keeps them.
        settings: Those to go on with.
        free: Names of settings that may differ.
        defaults: Of groups of settings: what counts where an older version did not know one.

    Raises:
        RunError: If others differ.
    """
    if not path.exists():
        return None
    known = read_json(path)
    settings, groups = json.loads(json.dumps([settings, defaults or {}]))
    known |= {name: group | known[name] for name, group in groups.items() if name in known}
    differing = {k for k in known.keys() | settings if known.get(k) != settings.get(k)} - set(free)
    if differing:
        raise RunError(
            f"{path.parent} holds something with other settings; choose another folder. "
            f"Expected: { ({name: known.get(name) for name in sorted(differing)}) }. "
            f"Received: { ({name: settings.get(name) for name in sorted(differing)}) }"
        )
    return known


def read_json(path: Path) -> Any:
    """Read a JSON file of a run; raises `RunError` if it is missing or broken."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {error}") from error
