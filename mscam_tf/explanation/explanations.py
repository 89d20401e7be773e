"""Explain images with a run: maps of every scale, and every logit as a sum in words."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from mscam_tf.data.reading import Problem
from mscam_tf.errors import MscamError
from mscam_tf.runs import Explanation, Run, Session, keep_readable, open_session


def explain(
    run: Run | Session, paths: Sequence[Path], flips: bool = False
) -> Iterator[Explanation]:
    """Explain images with the model of a run, one after the other.

    Args:
        run: A finished run, or a session of it.
        paths: Image files.
        flips: Whether to average over each image's four mirror images (`average_flips`).

    Returns:
        An iterator of one `Explanation` an image.

    Raises:
        MscamError: If there are no paths.
        ImageError: After the last image, if some cannot be read: all of them are named at once. To
            go on without these, iterate over `Session.explain`.
    """
    check_paths(paths)
    problems: list[Problem] = []
    pairs = zip(paths, open_session(run, flips=flips).explain(paths), strict=True)
    return (explanation for _, explanation in keep_readable(pairs, problems))


def check_paths(paths: Sequence[Path]) -> None:
    """Raise `MscamError` if there are none."""
    if not paths:
        raise MscamError("Give at least one image. Received: paths=[]")
