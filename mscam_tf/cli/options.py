"""Options of commands, made of the dataclasses of settings: name, type, default and help."""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import MISSING, fields, is_dataclass, replace
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import docstring_parser
import typer

from mscam_tf.cli.sizes import SIZE, parse_size
from mscam_tf.settings import Choice, Flag, Names, Number, Range, Size, Views, find_rule

_Command = TypeVar("_Command", bound=Callable[..., None])
_Settings = TypeVar("_Settings")


def add_options(
    settings: Any, only: Iterable[str] | None = None, **changes: Mapping[str, Any]
) -> Callable[[_Command], _Command]:
    """Give a command an option for each setting of a dataclass; it gets them in `**settings`.

    The help is the docstring's `Attributes:`, the choices and ranges are those of the table of
    settings. The options come after the arguments that the command requires.

    Args:
        settings: The dataclass, or one of its instances, whose values are then the defaults.
        only: Names of the settings to take; by default all that are no dataclasses themselves.
        **changes: For a setting, what differs from its field: the `name` of the option, its
            `default`, its `type`, and what else `typer.Option` takes.
    """
    owner = settings if isinstance(settings, type) else type(settings)
    names = _list_settings(owner) if only is None else only
    helps, defaults = _read_helps(owner), _read_defaults(settings)
    parameters = [
        _make_parameter(owner, name, {"help": helps[name], "default": defaults[name]}, changes)
        for name in names
    ]

    def decorate(command: _Command) -> _Command:
        before = inspect.signature(command).parameters.values()
        own = [one for one in before if one.kind is not inspect.Parameter.VAR_KEYWORD]
        required = [one for one in own if one.default is inspect.Parameter.empty]
        others = [one for one in own if one.default is not inspect.Parameter.empty]
        shown = [*required, *parameters, *others]
        command.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
        command.__annotations__ = {one.name: one.annotation for one in shown}
        return command

    return decorate


def make_settings(kind: type[_Settings], values: Mapping[str, Any], **more: Any) -> _Settings:
    """Make a dataclass of settings from the options of a command, and from more values."""
    known = [name for name in _list_settings(kind) if name in values and name not in more]
    return kind(**pick(values, known), **more)


def change_settings(settings: _Settings, values: Mapping[str, Any], **more: Any) -> _Settings:
    """Return a dataclass of settings with what options of a command say otherwise."""
    known = [name for name in _list_settings(type(settings)) if name in values]
    changed: Any = replace(settings, **pick(values, known), **more)  # type: ignore[type-var]
    return cast("_Settings", changed)


def pick(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return some options of a command as settings: those that repeat are tuples there."""
    return {n: tuple(values[n]) if isinstance(values[n], list) else values[n] for n in names}


def _list_settings(owner: Any) -> list[str]:
    hints = get_type_hints(owner)
    return [field.name for field in fields(owner) if not is_dataclass(hints[field.name])]


def _read_defaults(settings: Any) -> dict[str, Any]:
    if not isinstance(settings, type):
        return {field.name: getattr(settings, field.name) for field in fields(settings)}
    return {f.name: None if f.default is MISSING else f.default for f in fields(settings)}


def _read_helps(owner: type) -> dict[str, str]:
    """Read what the docstring says of each setting; other settings are named as options are."""
    style = docstring_parser.DocstringStyle.GOOGLE
    described = docstring_parser.parse(inspect.getdoc(owner) or "", style).params
    helps = {one.arg_name: " ".join((one.description or "").split()) for one in described}
    return {name: _name_options(text, helps.keys() - {name}) for name, text in helps.items()}


def _name_options(text: str, settings: Set[str]) -> str:
    """Write settings that a text names, such as `save_every`, as options: `--save-every`."""

    def change(found: re.Match[str]) -> str:
        return f"`--{found[1].replace('_', '-')}`" if found[1] in settings else found[0]

    return re.sub(r"`(\w+)`", change, text)


def _make_parameter(
    owner: type, name: str, usual: dict[str, Any], changes: Mapping[str, Mapping[str, Any]]
) -> inspect.Parameter:
    hint = _drop_none(get_type_hints(owner)[name])
    made = {"type": hint, **usual, **changes.get(name, {})}
    made = {**_follow_rule(owner, name, made["default"]), **made}
    default, kind, option = made.pop("default"), made.pop("type"), made.pop("name", None)
    if made.get("parser") is not None or default is None:
        kind = Any if made.get("parser") is not None else kind | None
    flag = f"--{name.replace('_', '-')}"
    declared = option or (flag if default is False else None)  # There is no --no-FLAG then.
    information = typer.Option(*([declared] if declared else []), **made)
    return inspect.Parameter(
        name,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        default=default,
        annotation=Annotated[kind, information],
    )


def _follow_rule(owner: type, name: str, default: Any) -> dict[str, Any]:
    """Say what `typer.Option` can know of the rule of a setting."""
    rule = find_rule(name, owner)
    match rule:
        case Choice(words):
            return {"metavar": "|".join(words)}
        case Number():
            low = None if rule.above or rule.low == -float("inf") else rule.low
            high = None if rule.below or rule.high == float("inf") else rule.high
            return {"min": low, "max": high}
        case Range():
            return {"metavar": "LOW HIGH"}
        case Size():
            shown = "x".join(map(str, default)) if default else False
            return {"metavar": SIZE, "parser": parse_size, "show_default": shown}
        case Names():
            return {"metavar": "NAME,...", "parser": _split_names}
        case Views():
            shown = ",".join(map(str, default)) if default else False
            return {"metavar": "VIEW,...", "parser": _split_views, "show_default": shown}
        case Flag() | _:
            return {}


def _drop_none(hint: Any) -> Any:
    """Return `T` for `T | None`."""
    if get_origin(hint) not in (Union, UnionType):
        return hint
    (kind,) = (part for part in get_args(hint) if part is not type(None))
    return kind


def _split_views(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    try:
        return tuple(part if part == "global" else float(part) for part in text.split(","))
    except ValueError:
        return (text,)  # The rule of the setting says what is wrong with it.


def _split_names(text: Any) -> Any:
    return tuple(text.split(",")) if isinstance(text, str) else text
