"""Kinds of rules: what a setting must be, in code and in words."""

import math
import struct
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Literal, Protocol

View = Literal["global"] | float  # What a channel shows: see `mscam_tf.LocalContrast`.
GLOBAL: tuple[View, ...] = ("global",)
_LARGEST = 2**63  # Of whole numbers.
_LARGEST_FLOAT = (2 - 2**-23) * 2.0**127  # Of float32: models compute in it.


class Rule(Protocol):
    """What a setting must be; `str` of it completes the sentence "It must be ..."."""

    def accepts(self, value: Any) -> bool:
        """Return whether a value is allowed."""


def is_finite(value: Any) -> bool:
    """Whether a value is a number, neither infinite nor too large for int64 or float32.

    Examples:
        >>> [is_finite(value) for value in (1, 2.5, float("nan"), 10**400, 1e39, True, "1")]
        [True, True, False, False, False, False, False]
    """
    if not isinstance(value, Real) or isinstance(value, bool):
        return False
    if isinstance(value, Integral):
        return -_LARGEST <= int(value) < _LARGEST
    return abs(float(value)) <= _LARGEST_FLOAT  # Nor is NaN.


def round_to_float32(value: float) -> float:
    """Return the nearest number that float32 has.

    Examples:
        >>> round_to_float32(1e-60), round_to_float32(1 - 1e-12)
        (0.0, 1.0)
    """
    (rounded,) = struct.unpack("f", struct.pack("f", value))
    return float(rounded)


@dataclass(frozen=True)
class Choice:
    """One of several words."""

    words: tuple[str, ...]

    def accepts(self, value: Any) -> bool:
        return isinstance(value, str) and value in self.words

    def __str__(self) -> str:
        return f"one of {', '.join(map(repr, self.words))}"


@dataclass(frozen=True)
class Number:
    """A number from `low` to `high`, as float32 has it; `above` and `below` leave out the ends."""

    low: float = -math.inf
    high: float = math.inf
    whole: bool = False
    above: bool = False
    below: bool = False

    def accepts(self, value: Any) -> bool:
        if not is_finite(value) or (self.whole and not isinstance(value, Integral)):
            return False
        if not isinstance(value, Integral):
            value = round_to_float32(value)  # Which makes 0 of 1e-50, and 1 of 1 - 1e-9.
        right = self.low < value if self.above else self.low <= value
        return right and (value < self.high if self.below else value <= self.high)

    def __str__(self) -> str:
        low = f"above {self.low:g}" if self.above else f"of at least {self.low:g}"
        both = f"{low} and {'below' if self.below else 'at most'} {self.high:.12g}"
        span = "" if self.low == -math.inf else low if self.high == math.inf else both
        return f"a {'whole ' if self.whole else ''}number {span}".strip()


@dataclass(frozen=True)
class Size:
    """Height and width in pixels, each from `least` to `most`, and a multiple of `step`."""

    least: int
    step: int = 1
    most: float = math.inf

    def accepts(self, value: Any) -> bool:
        if not isinstance(value, tuple | list) or len(value) != 2:
            return False
        return all(self._side.accepts(part) and part % self.step == 0 for part in value)

    @property
    def _side(self) -> Number:
        return Number(self.least, self.most, whole=True)

    def __str__(self) -> str:
        steps = f", and a multiple of {self.step}" if self.step > 1 else ""
        return f"(height, width), each {self._side}{steps}"


@dataclass(frozen=True)
class Range:
    """Two numbers, the lower one first; they may be `equal`."""

    each: Number
    equal: bool = False

    def accepts(self, value: Any) -> bool:
        if not isinstance(value, tuple | list) or len(value) != 2:
            return False
        low, high = value
        if not (self.each.accepts(low) and self.each.accepts(high)):
            return False
        if not is_finite(float(high) - float(low)):
            return False
        return low < high or (self.equal and low == high)

    def __str__(self) -> str:
        return f"(low, high), each {self.each}, with low {'<=' if self.equal else '<'} high"


@dataclass(frozen=True)
class Flag:
    """True or false."""

    def accepts(self, value: Any) -> bool:
        return not isinstance(value, str) and value in (True, False)

    def __str__(self) -> str:
        return "True or False"


@dataclass(frozen=True)
class Names:
    """Different names, at least one."""

    def accepts(self, value: Any) -> bool:
        named = isinstance(value, tuple | list) and len(value) > 0
        words = named and all(isinstance(name, str) and name for name in value)
        return words and len(set(value)) == len(value)

    def __str__(self) -> str:
        return "a tuple of different names, at least one"


@dataclass(frozen=True)
class Views:
    """What channels show: the word `global`, or a number of pixels; below a half, it is nothing."""

    def accepts(self, value: Any) -> bool:
        sigma = Number(0.5)
        listed = isinstance(value, tuple | list) and len(value) > 0
        return listed and all(view == "global" or sigma.accepts(view) for view in value)

    def __str__(self) -> str:
        return "a tuple of views, each 'global' or a number of pixels of at least 0.5"


@dataclass(frozen=True)
class Other:
    """What is checked by its own code, where it is used."""

    def accepts(self, value: Any) -> bool:  # noqa: ARG002
        return True
