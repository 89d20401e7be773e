"""What to do about confused classes, in words: which images would help most."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import false_discovery_control

from mscam_tf.analysis.confusions import Confusion, ImageOverlap
from mscam_tf.names import quote

_LISTED = 20  # Unlabelled images that the advice names; the table has all.
_LEVEL = 0.05


def write_advice(
    count: int, confusions: Sequence[Confusion], ranked: Sequence[ImageOverlap] = ()
) -> str:
    """Say in words what is confused, whether the maps say why, and which images would help.

    Args:
        count: How many labelled images were analysed.
        confusions: Those that occur, in order.
        ranked: Unlabelled images, the most useful first.

    Returns:
        Markdown.
    """
    wrong = sum(len(found.images) for found in confusions)
    parts = [f"# What is confused, and where\n\n{wrong} of {count} images are wrong."]
    chances = _adjust([confusion.p_value for confusion in confusions])
    parts += [_advise(*pair) for pair in zip(confusions, chances, strict=True)]
    if ranked:
        names = "\n".join(
            f"1. {quote(str(one.path))}: {quote(one.first)} or {quote(one.second)} "
            f"(margin {one.margin:.2f})"
            for one in ranked[:_LISTED]
        )
        parts.append(
            "## Label these next\n\nOf the images without a label, these have the smallest margin "
            "between their two most probable classes, and maps of the two that overlap most:\n\n"
            f"{names}"
        )
    return "\n\n".join(parts) + "\n"


def _adjust(chances: Sequence[float]) -> np.ndarray:
    """Adjust p values for their number (Benjamini and Hochberg, 1995); NaN stays NaN."""
    adjusted = np.array(chances, float)
    known = np.isfinite(adjusted)
    if known.any():
        adjusted[known] = false_discovery_control(adjusted[known])
    return adjusted


def _advise(confusion: Confusion, chance: float) -> str:
    title = f"## {quote(confusion.true)} taken for {quote(confusion.predicted)}"
    count = f"{len(confusion.images)} of {confusion.total} ({confusion.rate:.0%})."
    most = ", ".join(quote(str(image.path)) for image in confusion.images[: len(confusion.stacks)])
    errors = f"The most certain errors: {most}"
    return f"{title}\n\n{count} {_describe_overlap(confusion, chance)}\n\n{errors}"


def _describe_overlap(confusion: Confusion, chance: float) -> str:
    if len(confusion.images[0].class_names) == 2:
        return "With two classes, one map is the negative of the other, so that they never overlap."
    true, predicted = quote(confusion.true), quote(confusion.predicted)
    if np.isnan(chance):
        return (
            f"With {len(confusion.right)} images of {true} that are right, there are too "
            "few to judge where the maps overlap."
        )
    low, high = confusion.interval
    means = confusion.average("place_overlap")
    return (
        f"The evidence for the two overlaps in place by {means['wrong']:.2f}, and by "
        f"{means['right']:.2f} on images of {true} that are right: "
        f"{confusion.difference:+.2f} [{low:+.2f}, {high:+.2f}], p = {chance:.2g} (for all pairs "
        f"together); on images of {predicted} that are right, by "
        f"{means['like']:.2f}. {_judge(confusion, chance)}"
    )


def _judge(confusion: Confusion, chance: float) -> str:
    low, high = confusion.interval
    true, predicted = quote(confusion.true), quote(confusion.predicted)
    pair = f"{true} and {predicted}"
    if chance < _LEVEL and low > 0 and not confusion.exceeds_like:
        return (
            f"On the wrong images, the maps lie as on any image of {predicted}: the "
            f"model did not see what makes these images {true}. If you can see it, "
            f"add images of {true} in which it is as small or as faint."
        )
    if chance < _LEVEL and low > 0:
        return (
            f"On the wrong images, {pair} claim the same region: both maps have their evidence "
            "there. Add images of both classes that look like those below but differ in this "
            "region."
        )
    if chance < _LEVEL and high < 0:
        return (
            f"On the wrong images, the maps of {pair} are further apart than usual: the evidence "
            f"for {predicted} lies on another place. Look at the pictures to see what is "
            f"there, and add images of {true} that show it too."
        )
    return (
        "This is no clear difference, so the maps do not say why the classes are confused. Add "
        "images of both classes that look like those below, and check the labels of those below."
    )
