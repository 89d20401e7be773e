"""Check settings by the table, and name the word that was meant."""

import math
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from functools import cache
from numbers import Integral, Real
from typing import Any, get_args, get_type_hints

from mscam_tf.errors import MscamError
from mscam_tf.settings.rules import (
    Choice,
    Flag,
    Names,
    Number,
    Range,
    Rule,
    Size,
    Views,
    is_finite,
    round_to_float32,
)
from mscam_tf.settings.table import SETTINGS


def find_rule(name: str, owner: type | None = None) -> Rule:
    """Return what a setting must be.

    Args:
        name: Its name.
        owner: The class of settings that it belongs to.

    Examples:
        >>> str(find_rule("dropout"))
        'a number of at least 0 and below 1'
    """
    own = SETTINGS.get(f"{owner.__name__}.{name}") if owner is not None else None
    return own or SETTINGS[name]


def check_setting(name: str, value: Any, owner: type | None = None) -> None:
    """Refuse a value that a setting must not have.

    Args:
        name: The name of the setting.
        value: Its value.
        owner: The class of settings that it belongs to.

    Raises:
        MscamError: If it is not one of the choices, or out of the range.

    Examples:
        >>> try:
        ...     check_setting("normalization", "sofmax")
        ... except ValueError as error:
        ...     print(error)
        `normalization` must be one of 'penalty', 'softmax'. Did you mean 'softmax'?
        Received: normalization='sofmax'
    """
    check_value(name, value, find_rule(name, owner))


def check_value(name: str, value: Any, rule: Rule) -> None:
    """Refuse a value of an argument that breaks a rule.

    Args:
        name: The name of the argument.
        value: Its value.
        rule: What it must be.

    Raises:
        MscamError: If it breaks the rule.

    Examples:
        >>> try:
        ...     check_value("threshold", float("nan"), Number())
        ... except ValueError as error:
        ...     print(error)
        `threshold` must be a number. Received: threshold=nan
    """
    if not rule.accepts(value):
        hint = suggest(value, rule.words) if isinstance(rule, Choice) else _explain(value)
        raise MscamError(f"`{name}` must be {rule}.{hint} Received: {name}={value!r}")


def _explain(value: Any) -> str:
    """Say why a number is refused that seems to be as the rule says."""
    is_float = isinstance(value, Real) and not isinstance(value, Integral)
    seen = round_to_float32(value) if is_float and is_finite(value) else math.inf
    if is_float and math.isfinite(value) and seen != value and seen in (0.0, 1.0, math.inf):
        return f" In float32 it is {seen:g}."
    return ""


def check_settings_of(config: Any) -> None:
    """Refuse a dataclass of settings with a value that one of them must not have.

    Numbers of NumPy become those of Python, and lists tuples: settings are compared, and are kept
    as JSON. `None` is allowed where the annotation of a field says so; fields that are settings of
    their own have checked themselves.

    Raises:
        MscamError: If a value is not one of the choices, or out of the range.
    """
    owner: Any = type(config)
    for name, optional in _list_fields(owner):
        value = getattr(config, name)
        if not (value is None and optional):
            check_setting(name, value, owner)
            object.__setattr__(config, name, _simplify(value, find_rule(name, owner)))


def _simplify(value: Any, rule: Rule) -> Any:
    match rule:
        case Flag():
            return bool(value)
        case Number(whole=whole):
            return int(value) if whole or isinstance(value, Integral) else float(value)
        case Range(each):
            return tuple(_simplify(part, each) for part in value)
        case Size():
            return tuple(int(part) for part in value)
        case Names():
            return tuple(value)
        case Views():
            return tuple(v if isinstance(v, str) else _simplify(v, Number()) for v in value)
        case _:
            return value


@cache
def _list_fields(owner: Any) -> list[tuple[str, bool]]:
    """List the fields that hold no settings of their own, and whether each may be `None`."""
    hints = get_type_hints(owner)
    names = [field.name for field in fields(owner) if not is_dataclass(hints[field.name])]
    return [(name, type(None) in get_args(hints[name])) for name in names]


def suggest(word: Any, words: Iterable[str]) -> str:
    """Return a question that names the word which was meant, or nothing if none is near.

    Examples:
        >>> suggest("densenet12", ["DenseNet121", "MobileNetV2"])
        " Did you mean 'DenseNet121'?"
        >>> suggest("table", ["DenseNet121"])
        ''
    """
    lower = {known.lower(): known for known in words}
    close = get_close_matches(str(word).lower(), lower, n=1)
    return f" Did you mean {lower[close[0]]!r}?" if close else ""
