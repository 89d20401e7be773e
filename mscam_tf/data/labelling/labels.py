"""Labels by size: cut sizes into classes, label images by them, and back to two classes."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from mscam_tf.data.manifests import NO_OBJECT, OBJECT, Manifest, ManifestError
from mscam_tf.errors import MscamError
from mscam_tf.names import has_control
from mscam_tf.settings import Names, Number, check_value, is_finite

_LOGGER = logging.getLogger(__name__)
_MOST_CLASSES = 9  # Class names are sorted as text, where scale10 would stand before scale2.
_SIZE, _ORIGINAL = "object_size", "original_label"


def fit_thresholds(manifest: Manifest, sizes: np.ndarray, classes: int) -> list[float]:
    """Cut the sizes of the training images into classes of equal counts.

    The thresholds are the quantiles `1 / K ... (K - 1) / K` of the sizes above 0. Only images of
    the split `train` count, or all where there is no split yet (a warning is logged).

    Args:
        manifest: The samples.
        sizes: Their sizes, `(n,)`.
        classes: `K`, from 2 to 9.

    Returns:
        `K - 1` thresholds, rising.

    Raises:
        ValueError: If `classes` is out of range, or too few different sizes make K classes.

    Examples:
        >>> from pathlib import Path
        >>> from mscam_tf import Sample
        >>> samples = tuple(Sample(f"{i}.png", "x", str(i), "train") for i in range(6))
        >>> fit_thresholds(Manifest(Path(), samples), np.array([0, 1, 2, 3, 4, 5]), 2)
        [3.0]
    """
    check_classes(classes)
    sizes = _check_sizes(manifest, sizes)
    training = np.array([sample.split == "train" for sample in manifest.samples])
    if not training.any():
        _LOGGER.warning("There is no split: the thresholds are fitted on all images.")
        training[:] = True
    chosen = np.sort(sizes[training & (sizes > 0)])
    quantiles = np.arange(1, classes) / classes
    thresholds = np.quantile(chosen, quantiles).tolist() if len(chosen) else []
    counts = np.bincount(np.searchsorted(thresholds, chosen, side="right"), minlength=classes)
    if not len(chosen) or not counts.all():
        raise MscamError(
            f"The sizes of the training images must make {classes} classes; give thresholds "
            f"instead. Received: {len(chosen)} objects, {len(set(chosen.tolist()))} different sizes"
        )
    return [float(value) for value in thresholds]


def label_by_size(manifest: Manifest, sizes: np.ndarray, thresholds: Sequence[float]) -> Manifest:
    """Label each image by its size.

    The label is `none` at size 0, `scale1` below the first threshold, and `scale{k+1}` from the
    k-th threshold on.

    Args:
        manifest: The samples.
        sizes: Their sizes, `(n,)`.
        thresholds: Rising, above 0, at most 8.

    Returns:
        The samples with new labels. Their columns `object_size` and `original_label` hold the size
        and the old label.

    Raises:
        ValueError: If the thresholds do not rise, or are too many.

    Examples:
        >>> from pathlib import Path
        >>> from mscam_tf import Sample
        >>> samples = tuple(Sample(f"{i}.png", "bone", str(i)) for i in range(4))
        >>> labelled = label_by_size(Manifest(Path(), samples), np.array([0, 3, 12.5, 40]), [12.5])
        >>> [sample.label for sample in labelled.samples]
        ['none', 'scale1', 'scale2', 'scale2']
    """
    sizes = _check_sizes(manifest, sizes)
    check_thresholds(thresholds)
    scales = np.searchsorted(np.asarray(thresholds), sizes, side="right") + 1
    pairs = zip(scales.tolist(), sizes.tolist(), strict=True)
    names = [f"scale{scale}" if size > 0 else NO_OBJECT for scale, size in pairs]
    wanted = [NO_OBJECT, *(f"scale{scale}" for scale in range(1, len(thresholds) + 2))]
    _warn_of_empty(wanted, names)
    return _relabel(manifest, names, sizes)


def check_classes(classes: int) -> None:
    """Refuse a number of classes that sizes are not cut into."""
    check_value("classes", classes, Number(2, _MOST_CLASSES, whole=True))


def check_thresholds(thresholds: Sequence[float]) -> None:
    """Refuse thresholds that do not rise from above 0 on, or are too many."""
    numbers = all(is_finite(threshold) for threshold in thresholds)
    rising = numbers and all(low < high for low, high in pairwise([0.0, *thresholds]))
    if not rising or not len(thresholds) < _MOST_CLASSES:
        raise MscamError(
            f"`thresholds` must be above 0, rise, and be fewer than {_MOST_CLASSES}. "
            f"Received: {list(thresholds)}"
        )


def check_two(names: tuple[str, str]) -> None:
    """Refuse names that are not two labels, without an object first."""
    two = Names().accepts(names) and len(names) == 2
    if not two or any(name != name.strip() or has_control(name) for name in names):
        raise MscamError(
            "`names` must be two different labels of one line, without spaces around them. "
            f"Received: names={names}"
        )
    if names[1] == NO_OBJECT:
        raise MscamError(
            f"The second of `names` is for images with an object, and {NO_OBJECT!r} says that "
            f"there is none; it comes first. Received: names={names}"
        )


def _check_sizes(manifest: Manifest, sizes: np.ndarray) -> np.ndarray:
    """What is no size, such as NaN, would be neither above 0 nor below, and make a label `none`."""
    hidden, sizes = np.ma.is_masked(sizes), np.asarray(sizes)
    count = len(manifest.samples)
    if hidden or sizes.shape != (count,) or sizes.dtype.kind not in "biuf":
        raise MscamError(
            f"`sizes` must be {count} real numbers, one for each image. "
            f"Received: {'masked values' if hidden else f'shape {sizes.shape}, {sizes.dtype}'}"
        )
    wrong = np.flatnonzero(~(np.isfinite(sizes) & (sizes >= 0)))
    if wrong.size:
        raise MscamError(
            "`sizes` must be finite and at least 0. "
            f"Received: {sizes[wrong[0]]} for {manifest.samples[wrong[0]].path}"
        )
    return sizes


def _warn_of_empty(wanted: Sequence[str], names: Sequence[str]) -> None:
    empty = [name for name in wanted if name not in names]
    if empty:
        _LOGGER.warning("No image has the label %s.", " or ".join(empty))


def label_binary(
    manifest: Manifest,
    names: tuple[str, str] = (NO_OBJECT, OBJECT),
    sizes: np.ndarray | None = None,
) -> Manifest:
    """Label each image as one of two classes: without or with an object.

    Args:
        manifest: The samples.
        names: The two labels. Without `sizes`, a sample that has the first as its label keeps it,
            and all others get the second.
        sizes: If given, they decide instead of the labels: an image with a size above 0 has an
            object.

    Returns:
        The samples with new labels, and their old ones in the column `original_label`.

    Raises:
        MscamError: If the names are not two different labels, or the second one is `none`.
        ManifestError: Without sizes, if no sample has the first name as its label.

    Examples:
        >>> from pathlib import Path
        >>> from mscam_tf import Sample
        >>> labels = ("none", "scale1", "scale2")
        >>> samples = tuple(Sample(f"{label}.png", label, label) for label in labels)
        >>> [sample.label for sample in label_binary(Manifest(Path(), samples)).samples]
        ['none', 'object', 'object']
    """
    check_two(names)
    if sizes is not None:
        sizes = _check_sizes(manifest, sizes)
        return _relabel(manifest, [names[int(size > 0)] for size in sizes], sizes)
    if names[0] not in manifest.class_names:
        raise ManifestError(
            f"One class must be {names[0]!r}, for the images without an object. "
            f"Received: {manifest.class_names}"
        )
    return _relabel(manifest, [names[int(s.label != names[0])] for s in manifest.samples], None)


def format_size(size: float, digits: int = 10) -> str:
    """Write a size with ten digits, and without an exponent.

    Examples:
        >>> format_size(123456.0), format_size(2 / 3), format_size(0)
        ('123456', '0.6666666667', '0')
    """
    return np.format_float_positional(size, precision=digits, fractional=False, trim="-")


def _relabel(manifest: Manifest, labels: Sequence[str], sizes: np.ndarray | None) -> Manifest:
    if sizes is not None:
        _note_conflicts(manifest, sizes)
    samples = []
    for index, (sample, name) in enumerate(zip(manifest.samples, labels, strict=True)):
        extra = {_ORIGINAL: sample.label} | dict(sample.extra)  # The first label of all stays.
        if sizes is not None:
            extra[_SIZE] = format_size(sizes[index])
        samples.append(replace(sample, label=name, extra=extra))
    return replace(manifest, samples=tuple(samples))


def _note_conflicts(manifest: Manifest, sizes: np.ndarray) -> None:
    """Where the old labels know the images without an object, the sizes should say the same."""
    if NO_OBJECT not in manifest.class_names:
        return
    pairs = zip(manifest.samples, sizes.tolist(), strict=True)
    wrong = [sample for sample, size in pairs if (sample.label == NO_OBJECT) != (size == 0)]
    if wrong:
        _LOGGER.warning(
            "%d images are labelled none but have an object, or the reverse, such as %s (%s); the "
            "sizes decide.",
            len(wrong),
            wrong[0].path,
            wrong[0].label,
        )
