"""Check what is marked in images: their masks, and the boxes beside them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from mscam_tf.data.manifests import (
    Box,
    Manifest,
    ManifestError,
    check_inside,
    find_denied,
    guess_findings,
    split_findings,
)
from mscam_tf.data.reading import ImageError, ReadOptions, map_images, read_mask_of

_Size = tuple[int, ...]
_Boxes = Mapping[str, Sequence[Box]]


def check_masks(
    manifest: Manifest,
    sizes: Mapping[int, _Size],
    options: ReadOptions,
    on_progress: Callable[[int], None] | None = None,
) -> tuple[list[tuple[Path, str]], dict[int, float]]:
    """Read the masks.

    Args:
        manifest: The samples.
        sizes: `(height, width)` of each image that can be read, by index of the sample.
        options: How images are read.
        on_progress: Called with 1 after each mask.

    Returns:
        The masks that cannot be read, or are not of the size of their image or not turned as it is,
        with the reason; and which share of its pixels each other mask marks, by index of the
        sample.
    """
    problems: list[tuple[Path, str]] = []
    shares: dict[int, float] = {}
    root = manifest.root
    masks = {root / s.path: (i, root / s.mask) for i, s in enumerate(manifest.samples) if s.mask}

    def look(image: Path, options: ReadOptions) -> float:
        index, path = masks[image]
        return float((read_mask_of(image, path, options, sizes.get(index)) > 0).mean())

    results = map_images(look, masks, options)
    for (index, _), result in zip(masks.values(), results, strict=True):
        if isinstance(result, ImageError):
            problems += result.problems
        else:
            shares[index] = result
        if on_progress is not None:
            on_progress(1)
    return problems, shares


def list_unmarked(manifest: Manifest, boxes: _Boxes, shares: Mapping[int, float]) -> list[int]:
    """List the samples whose mask is empty, but whose label is not `none`, and that have no box."""
    samples = ((i, manifest.samples[i]) for i, share in sorted(shares.items()) if not share)
    return [i for i, s in samples if split_findings(s.label) and not boxes.get(s.path)]


def list_denied(
    manifest: Manifest, boxes: _Boxes, sizes: Mapping[int, _Size], shares: Mapping[int, float]
) -> Iterator[str]:
    """Yield what is marked wrongly: boxes beside their image, or of what its label denies."""
    findings = guess_findings(manifest)
    for index, sample in enumerate(manifest.samples):
        rows = boxes.get(sample.path, ())
        if index in sizes:
            height, width = sizes[index]
            try:
                check_inside(rows, sample.path, (height, width))
            except ManifestError as error:
                yield str(error)
            rows = [cut for box in rows if (cut := box.clip(width, height))]
        reason = find_denied(sample, rows, masked=shares.get(index, 0) > 0, findings=findings)
        if reason:
            yield reason
