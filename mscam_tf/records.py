"""JSON files of folders, and what a folder was begun with."""

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from mscam_tf.errors import RunError


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
    known = read_named(path)
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


def check_readable(path: Path) -> None:
    """Refuse a file that is there and may not be read, of which libraries say what they please.

    Raises:
        RunError: If its permissions forbid it.
    """
    try:
        with suppress(FileNotFoundError), path.open("rb"):
            pass
    except PermissionError as error:
        raise RunError(f"{path} cannot be read; change its permissions: {error}") from error


def read_named(path: Path) -> dict[str, Any]:
    """Read a JSON file of names and values; raises `RunError` if it is missing or no such file."""
    values = read_json(path)
    if not isinstance(values, dict):
        raise RunError(f"{path} must hold names with values. Received: {str(values)[:80]}")
    return values


def read_json(path: Path) -> Any:
    """Read a JSON file of a run; raises `RunError` if it is missing or broken."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{path} cannot be read: {error}") from error
