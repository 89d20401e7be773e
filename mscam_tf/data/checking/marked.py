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
) -> tuple[list[tuple[Path, str]], set[int], set[int]]:
    """Read the masks.

    Args:
        manifest: The samples.
        sizes: `(height, width)` of each image that can be read, by index of the sample.
        options: How images are read.
        on_progress: Called with 1 after each mask.

    Returns:
        The masks that cannot be read, or are not of the size of their image or not turned as it is,
        with the reason; the samples in whose mask there is an object; and those whose mask is
        empty.
    """
    problems: list[tuple[Path, str]] = []
    masked: set[int] = set()
    empty: set[int] = set()
    root = manifest.root
    masks = {root / s.path: (i, root / s.mask) for i, s in enumerate(manifest.samples) if s.mask}

    def look(image: Path, options: ReadOptions) -> bool:
        index, path = masks[image]
        return bool(read_mask_of(image, path, options, sizes.get(index)).any())

    results = map_images(look, masks, options)
    for (index, _), result in zip(masks.values(), results, strict=True):
        if isinstance(result, ImageError):
            problems += result.problems
        else:
            (masked if result else empty).add(index)
        if on_progress is not None:
            on_progress(1)
    return problems, masked, empty


def list_unmarked(manifest: Manifest, boxes: _Boxes, empty: set[int]) -> list[int]:
    """List the samples whose mask is empty, but whose label is not `none`, and that have no box."""
    samples = ((index, manifest.samples[index]) for index in sorted(empty))
    return [i for i, s in samples if split_findings(s.label) and not boxes.get(s.path)]


def list_denied(
    manifest: Manifest, boxes: _Boxes, sizes: Mapping[int, _Size], masked: set[int]
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
        reason = find_denied(sample, rows, masked=index in masked, findings=findings)
        if reason:
            yield reason
