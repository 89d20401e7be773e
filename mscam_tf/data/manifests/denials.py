"""Labels that deny what is marked in their image: one of the two is wrong."""

from collections.abc import Iterable, Sequence

from mscam_tf.data.manifests.box import Box
from mscam_tf.data.manifests.findings import SEPARATOR, list_findings, split_findings
from mscam_tf.data.manifests.naming import loosen
from mscam_tf.data.manifests.samples import (
    BOXES_FILE,
    NO_OBJECT,
    Manifest,
    ManifestError,
    Sample,
    check_label,
)

VISIBLE = 0.5  # Share of an object that must be in an image for it to be known as there.
_LISTED = 20  # Contradictions that a message names.


def find_denied(
    sample: Sample,
    boxes: Sequence[Box],
    *,
    masked: bool = False,
    findings: Sequence[str] = (),
    good: str | None = None,
) -> str:
    """Say what is marked in an image although its label denies it.

    The label `none` denies all objects, and one of findings those that it does not name. What the
    edge of the image cuts by more than half may be left out of a label. A box cannot mark an object
    of the good class, whatever the label is.

    Args:
        sample: The image and its label.
        boxes: What is marked in it, cut to the image.
        masked: Whether there is an object in its mask, too.
        findings: All findings, where labels name several of them.
        good: The class of good images, which denies all objects as `none` does.

    Returns:
        The image, and the reason why they contradict each other; empty if they do not.

    Examples:
        >>> print(find_denied(Sample("a.png", "none", "a"), [Box(0, 0, 4, 4, "wire")]))
        a.png: it is labelled 'none', but boxes.csv marks 'wire' in it, x from 0 to 4, y from 0 to 4
        >>> find_denied(Sample("a.png", "pore", "a"), [Box(0, 0, 4, 4, "crack")])
        ''
    """
    named = [name for name in split_findings(sample.label) if name != good]
    denied = set(findings) - set(named)
    where = f"{sample.place or sample.path}: it is labelled {sample.label!r}, but"
    for box in boxes:
        marks_good = good is not None and box.label == good
        if marks_good or (box.visible >= VISIBLE and (not named or box.label in denied)):
            what = repr(box.label) if box.label else "an object"
            return (
                f"{where} {box.place or BOXES_FILE} marks {what} in it, x from {box.x_min:g} to "
                f"{box.x_max:g}, y from {box.y_min:g} to {box.y_max:g}"
            )
    if masked and not named:
        return f"{where} its mask {sample.mask} marks an object in it"
    return ""


def refuse_denied(denied: Iterable[str], instead: str = "") -> None:
    """Raise `ManifestError` if labels deny what is marked.

    Args:
        denied: What `find_denied` says of each image.
        instead: What else can be done about it.

    Raises:
        ManifestError: If there is any contradiction; it names them.
    """
    found = [line for line in denied if line]
    if found:
        more = [f"and {len(found) - _LISTED} more"] if len(found) > _LISTED else []
        listed = "\n".join(f"  {line}" for line in [*found[:_LISTED], *more])
        raise ManifestError(
            f"No label may deny what is marked in its image; mend the one or the other{instead}. "
            f"Received: {len(found)} such images:\n{listed}"
        )


def check_objects(boxes: Iterable[Box]) -> None:
    """Refuse boxes that are labelled `none`, in any letter case: a box marks an object.

    Raises:
        ManifestError: If there are such boxes, or a label with control characters; it names the
            file and line of the first.
    """
    boxes = list(boxes)
    for box in boxes:
        check_label(box.label, box.place or BOXES_FILE)
    wrong = [box for box in boxes if loosen(box.label) == NO_OBJECT]
    if wrong:
        raise ManifestError(
            f"{wrong[0].place or BOXES_FILE}: a box marks an object, and {NO_OBJECT!r} says that "
            "there is none; leave such boxes out, or give each the class of its object. "
            f"Received: label={wrong[0].label!r}, in {len(wrong)} boxes"
        )


def guess_findings(manifest: Manifest) -> list[str]:
    """Return the findings that occur, if any label names several; otherwise each is one class."""
    several = any(SEPARATOR in sample.label for sample in manifest.samples)
    return list_findings(manifest) if several else []
