"""What a run says of one image: an explanation, or why there is none."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from mscam_tf.data.reading import ImageError, Problem, is_constant, warn_of_constant

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Explanation:
    """What a run says of one image.

    Attributes:
        path: The image file.
        image: The image as the model saw it, `(H, W)`, values in `[0, 1]`.
        logits: `(C,)`.
        probabilities: `(C,)`.
        contributions: `(B, C)`, logits: what each scale adds to each logit.
        relevance: `(B, C)`.
        maps: `(H, W, C)`, logits.
        scale_maps: `(B, H, W, C)`, logits: `h_b M_b`, which add up to `maps`; `(0, H, W, C)` from
            a session without them.
        class_names: Name of each class.
        cell_contributions: Of each scale what the cells of its own grid add to each logit,
            `(H_b, W_b, C)`, logits: over all cells that is the contribution. Empty from a session
            without scale maps, or an engine that does not tell.
        source_size: `(height, width)` of the image in its file, in pixels, before it was resized
            for the model; `None` if it is that of `image`.
    """

    path: Path
    image: np.ndarray
    logits: np.ndarray
    probabilities: np.ndarray
    contributions: np.ndarray
    relevance: np.ndarray
    maps: np.ndarray
    scale_maps: np.ndarray
    class_names: list[str]
    cell_contributions: tuple[np.ndarray, ...] = ()
    source_size: tuple[int, int] | None = None

    @property
    def predicted(self) -> int:
        """Index of the most probable class, or finding."""
        return int(self.probabilities.argmax())

    def describe(self, class_index: int | None = None) -> str:
        """Say a class's logit as a sum over the scales; by default of the predicted class."""
        index = self.predicted if class_index is None else class_index
        name = self.class_names[index]
        return describe_logit(name, self.logits[index], self.contributions[:, index])


def describe_logit(class_name: str, logit: float, contributions: np.ndarray) -> str:
    """Say a logit in words: what each scale adds, and what the heads' biases add.

    Examples:
        >>> import numpy as np
        >>> describe_logit("bone", 1.3, np.array([0.4, 0.7]))
        'logit of bone = 1.30 = 0.40 from scale 1 + 0.70 from scale 2 + 0.20 bias'
    """
    terms = [(value, f"from scale {b}") for b, value in enumerate(contributions, start=1)]
    terms.append((logit - float(np.sum(contributions)), "bias"))
    return describe_sum(class_name, logit, terms)


def describe_sum(class_name: str, logit: float, terms: Sequence[tuple[float, str]]) -> str:
    """Say a logit in words, as a sum of terms: what each adds, and where it comes from.

    Examples:
        >>> describe_sum("bone", 0.5, [(0.75, "from region 1"), (-0.25, "bias")])
        'logit of bone = 0.50 = 0.75 from region 1 - 0.25 bias'
    """
    words = f"{terms[0][0]:.2f} {terms[0][1]}"
    for value, source in terms[1:]:
        words += f" {'-' if value < 0 else '+'} {abs(value):.2f} {source}"
    return f"logit of {class_name} = {logit:.2f} = {words}"


def keep_readable(
    pairs: Iterable[tuple[_Item, Explanation | Problem]],
    problems: list[Problem],
    *,
    skip_bad: bool = False,
) -> Iterator[tuple[_Item, Explanation]]:
    """Pass explanations on, each with its item, and gather the problems.

    At the end a warning names images that are constant, if there are any: they show nothing.

    Args:
        pairs: Items, and what a session said of their images.
        problems: Where to add those of images that cannot be read.
        skip_bad: Accept them, as long as one image can be read.

    Raises:
        ImageError: At the end, if there are problems: all of them are named at once.
    """
    readable = False
    constant: list[Path] = []
    for item, result in pairs:
        if isinstance(result, Problem):
            problems.append(result)
            continue
        readable = True
        constant += [result.path] * is_constant(result.image)
        yield item, result
    warn_of_constant(constant)
    if problems and not (skip_bad and readable):
        raise ImageError.of_several(problems, readable)
