"""What the commands about data share: outputs that must be free, and manifests to write."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from mscam_tf.cli.console import say
from mscam_tf.names import show_place

if TYPE_CHECKING:
    from mscam_tf.data.manifests import Manifest
    from mscam_tf.outputs import Kind


def check_table(path: Path, what: str) -> None:
    """Refuse a name for a table that is none of a CSV file."""
    from mscam_tf.data.manifests import ManifestError

    if path.suffix.lower() != ".csv":
        raise ManifestError(f"{what} is a .csv file. Received: {show_place(path)}")


def check_outputs(
    manifests: list[Path],
    others: list[Path],
    overwrite: bool,
    inputs: tuple[Path, ...] = (),
    kind: "Kind | None" = None,
) -> None:
    """Refuse outputs that are in the way, before anything is read.

    Args:
        manifests: Manifests to write. One may take the place of the manifest that it is made of.
        others: Other files to write.
        overwrite: Whether what an earlier run of the command wrote is replaced.
        inputs: What is read, and must not be replaced by others.
        kind: What the others are.
    """
    from mscam_tf.data.manifests import BOXES_FILE
    from mscam_tf.errors import OutputError
    from mscam_tf.outputs import FILE, MANIFEST, claim

    for path in manifests:
        check_table(path, "A manifest")
    outputs = [*manifests, *others]
    _refuse_runs(outputs)
    for path in outputs:
        if path.name == BOXES_FILE:
            raise OutputError(f"{show_place(path)} is read as boxes; choose another name.")
    for path in others:
        if path.resolve() in {known.resolve() for known in inputs}:
            raise OutputError(f"{show_place(path)} is what is read; choose another place.")
    if len({path.resolve() for path in outputs}) < len(outputs):
        raise OutputError(
            "Each output must be a file of its own. "
            f"Received: {', '.join(map(show_place, outputs))}"
        )
    for path in outputs:
        claim(path, MANIFEST if path in manifests else kind or FILE, overwrite=overwrite)


def _refuse_runs(outputs: list[Path]) -> None:
    """Refuse the files of a run, which are its record: other splits would be scored as its own."""
    from mscam_tf.errors import OutputError
    from mscam_tf.runs import RUN_FOLDER

    for path in outputs:
        if path.name in RUN_FOLDER.entries and RUN_FOLDER.is_at(path.resolve().parent):
            raise OutputError(f"{show_place(path)} is of a run; choose another place.")


def write_manifests(manifests: dict[Path, "Manifest"], overwrite: bool) -> None:
    """Write manifests of the same images into a folder, with their boxes: all of them or none."""
    from mscam_tf.data.manifests import carry_boxes, relocate, write_manifest
    from mscam_tf.files import write_whole

    check_outputs([*manifests], [], overwrite)  # Once more: another command may have been quicker.
    path, manifest = next(iter(manifests.items()))
    missing = [place for place in manifest.paths if not place.exists()]
    if missing:
        say(f"{len(missing)} of {len(manifest.paths)} images are not there, such as {missing[0]}")
    boxes = carry_boxes(manifest, path.parent)
    if boxes is not None:
        say(f"Wrote {boxes}, the boxes of the images")
    with ExitStack() as stack:
        for path, manifest in manifests.items():
            partial = stack.enter_context(write_whole(path))
            write_manifest(relocate(manifest, path.parent), partial)
    for path in manifests:
        say(f"Wrote {path}")
