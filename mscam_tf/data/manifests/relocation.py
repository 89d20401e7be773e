"""Write the paths of a manifest anew for another folder."""

import os
from dataclasses import replace
from pathlib import Path, PurePath

from mscam_tf.data.manifests.samples import Manifest


def relocate(manifest: Manifest, folder: str | Path) -> Manifest:
    """Express the paths of images and masks relative to another folder.

    Args:
        manifest: The samples.
        folder: The new root, such as the folder into which the manifest will be written.

    Returns:
        A `Manifest` of the same files. Groups named after an image are renamed with it.

    Examples:
        >>> from mscam_tf import Sample
        >>> manifest = Manifest(Path("data"), (Sample("a.png", "bone", "fish 1"),))
        >>> relocate(manifest, "data/splits").samples[0].path
        '../a.png'
    """
    folder = Path(folder)
    paths = {s.path: relocate_path(s.path, manifest.root, folder) for s in manifest.samples}
    samples = []
    for sample in manifest.samples:
        mask = relocate_path(sample.mask, manifest.root, folder) if sample.mask else ""
        group = paths.get(sample.group, sample.group)
        samples.append(replace(sample, path=paths[sample.path], group=group, mask=mask))
    return Manifest(folder, tuple(samples))


def relocate_path(path: str, old: Path, new: Path) -> str:
    """Express a path below the folder `old` relative to the folder `new`, with forward slashes."""
    if PurePath(path).is_absolute():
        return path
    target = old.resolve() / path
    try:
        # The new folder is resolved, because `..` leaves a linked folder by its true parent.
        return PurePath(os.path.relpath(target, new.resolve())).as_posix()
    except ValueError:  # On another drive of Windows.
        return target.as_posix()
