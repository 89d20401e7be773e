"""The format of `config.json`: its number, and how older ones are read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mscam_tf.errors import RunError

FORMAT = 2


def _state_read_options(values: dict[str, Any]) -> dict[str, Any]:
    """Of 0, without a number: the first runs did not say how images are read."""
    return {**values, "config": {"read": {}, **values["config"]}}


def _state_map_weight(values: dict[str, Any]) -> dict[str, Any]:
    """Of 1: its runs learnt from the labels alone, whatever was marked."""
    return {**values, "config": {"map_weight": 0.0, **values["config"]}}


# From each format to the next. Never change an entry: runs of that format are still out there.
_UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {
    0: _state_read_options,
    1: _state_map_weight,
}


def upgrade_values(values: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return the values of a `config.json` of any known format in the present one.

    Args:
        values: What the file holds.
        path: The file, for messages.

    Returns:
        The values, without the number of their format.

    Raises:
        RunError: If a newer version of the library wrote the file.

    Examples:
        >>> from pathlib import Path
        >>> upgrade_values({"config": {"epochs": 3}}, Path("run/config.json"))
        {'config': {'map_weight': 0.0, 'read': {}, 'epochs': 3}}
    """
    values = dict(values)
    number = values.pop("format", 0)
    if number not in (*_UPGRADES, FORMAT):
        raise RunError(
            f"{path} has a format that this version of mscam-tf does not know; install a newer "
            f"version. Expected: a format up to {FORMAT}. Received: format={number!r}"
        )
    for step in range(number, FORMAT):
        values = _UPGRADES[step](values)
    return values
