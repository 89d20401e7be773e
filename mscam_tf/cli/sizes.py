"""The option `--image-size`: one number for a square, two for height and width."""

from typing import Any

import typer
from typer.core import TyperCommand

from mscam_tf.errors import MscamError

SIZE = "SIDE|HEIGHT WIDTH"


class Command(TyperCommand):
    """A command whose options of sizes take one number or two.

    An option has a fixed number of values, so two numbers after such an option are joined:
    `--image-size 256 192` becomes `--image-size 256x192`.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: D102
        sizes = [one.opts for one in self.params if getattr(one, "metavar", None) == SIZE]
        return super().parse_args(
            ctx, join_sizes(args, {name for names in sizes for name in names})
        )


def join_sizes(args: list[str], options: set[str]) -> list[str]:
    """Join two whole numbers that follow one of the options.

    Examples:
        >>> join_sizes(["data", "--image-size", "256", "192", "--seed", "3"], {"--image-size"})
        ['data', '--image-size', '256x192', '--seed', '3']
        >>> join_sizes(["--image-size=256", "192"], {"--image-size"})
        ['--image-size=256x192']
        >>> join_sizes(["--image-size", "256", "data"], {"--image-size"})
        ['--image-size', '256', 'data']
    """
    joined: list[str] = []
    for arg in args:
        option, _, first = joined[-1].rpartition("=") if joined else ("", "", "")
        if not option and len(joined) > 1:
            option = joined[-2]
        if option in options and first.isdecimal() and arg.isdecimal():
            joined[-1] += f"x{arg}"
        else:
            joined.append(arg)
    return joined


def parse_size(text: Any) -> Any:
    """Return `(height, width)` of `256`, `256x192` or, once joined, `256 192`.

    What is no text is a default, and stays as it is.
    """
    if not isinstance(text, str):
        return text
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(side.isdecimal() for side in sides):
        raise typer.BadParameter(
            "a size is one side, such as 256, or height and width, such as 256 192 or 256x192. "
            f"Received: {text!r}"
        )
    return int(sides[0]), int(sides[-1])


def read_numbers(text: str) -> list[float]:
    """Read numbers such as `12.5,22`."""
    from mscam_tf.data.manifests import parse_number

    parts = text.split(",") if "," in text else text.split()
    numbers = [parse_number(part.strip()) for part in parts]
    found = [number for number in numbers if number is not None]
    if len(found) < len(numbers):
        raise MscamError(f"Expected numbers, such as 12.5,22. Received: {text!r}")
    return found
