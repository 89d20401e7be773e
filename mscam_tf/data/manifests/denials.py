"""Labels that deny what is marked in their image: one of the two is wrong."""

from collections.abc import Sequence

from mscam_tf.data.manifests.box import Box
from mscam_tf.data.manifests.boxes import BOXES_FILE
from mscam_tf.data.manifests.findings import SEPARATOR, list_findings, split_findings
from mscam_tf.data.manifests.samples import NO_OBJECT, Manifest, Sample

VISIBLE = 0.5  # Share of an object that must be in an image for it to be known as there.


def find_denied(
    sample: Sample, boxes: Sequence[Box], *, masked: bool = False, findings: Sequence[str] = ()
) -> str:
    """Say what is marked in an image although its label denies it.

    The label `none` denies all objects, and one of findings those that it does not name. What the
    edge of the image cuts by more than half may be left out of a label, and so may what a box
    calls `none`.

    Args:
        sample: The image and its label.
        boxes: What is marked in it, cut to the image.
        masked: Whether there is an object in its mask, too.
        findings: All findings, where labels name several of them.

    Returns:
        The reason why they contradict each other; empty if they do not.

    Examples:
        >>> find_denied(Sample("a.png", "none", "a"), [Box(0, 0, 4, 4, "crack")])
        "it is labelled 'none', but boxes.csv marks 'crack' in it, x from 0 to 4, y from 0 to 4"
        >>> find_denied(Sample("a.png", "pore", "a"), [Box(0, 0, 4, 4, "crack")])
        ''
    """
    named = split_findings(sample.label)
    denied = set(findings) - set(named)
    for box in boxes:
        is_object = box.label != NO_OBJECT and (not named or box.label in denied)
        if is_object and box.visible >= VISIBLE:
            what = repr(box.label) if box.label else "an object"
            return (
                f"it is labelled {sample.label!r}, but {box.place or BOXES_FILE} marks {what} in "
                f"it, x from {box.x_min:g} to {box.x_max:g}, y from {box.y_min:g} to {box.y_max:g}"
            )
    if masked and not named:
        return f"it is labelled {sample.label!r}, but its mask {sample.mask} marks an object in it"
    return ""


def guess_findings(manifest: Manifest) -> list[str]:
    """Return the findings that occur, if any label names several; otherwise each is one class."""
    several = any(SEPARATOR in sample.label for sample in manifest.samples)
    return list_findings(manifest) if several else []
