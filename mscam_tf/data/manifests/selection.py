"""Choose images: by listing, by dropping, by class."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mscam_tf.data.manifests.manifest import read_manifest
from mscam_tf.data.manifests.samples import Manifest
from mscam_tf.data.manifests.walking import list_files
from mscam_tf.names import show_place


def drop_images(manifest: Manifest, problems: Sequence[tuple[Path, str]]) -> Manifest:
    """Return the manifest without the images that have a problem."""
    bad = {path for path, _ in problems}
    pairs = zip(manifest.samples, manifest.paths, strict=True)
    return replace(manifest, samples=tuple(sample for sample, path in pairs if path not in bad))


def sample_classes(manifest: Manifest, most: int, seed: int = 0) -> Manifest:
    """Return at most so many samples, drawn from the classes in turn; the order stays."""
    order = np.random.default_rng(seed).permutation(len(manifest.samples))
    seen: Counter[str] = Counter()
    rank = {}
    for index in order:
        label = manifest.samples[index].label
        rank[index] = (seen[label], label)
        seen[label] += 1
    kept = sorted(sorted(rank, key=rank.__getitem__)[:most])
    return replace(manifest, samples=tuple(manifest.samples[index] for index in kept))


def list_images(paths: Sequence[Path]) -> list[Path]:
    """List image files: those given, all within the folders given, and those of CSV manifests.

    What a folder holds beside images is counted in a warning.

    Raises:
        FileNotFoundError: If a path does not exist, or nothing is found.
    """
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"No such image or folder. Received: {show_place(path)}")
        files += _list_inside(path)
    if not files:
        raise FileNotFoundError(
            f"No images found. Received: {', '.join(map(show_place, paths)) or 'nothing'}"
        )
    return files


def _list_inside(path: Path) -> list[Path]:
    if path.suffix.lower() == ".csv":
        return read_manifest(path).paths
    if path.is_dir():
        return list_files(path)
    return [path]
