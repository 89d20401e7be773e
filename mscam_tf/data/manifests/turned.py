"""Pictures that programs show turned: labelling tools mark what is shown, not what is stored."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePath

from mscam_tf.data.manifests.box import Box
from mscam_tf.data.manifests.samples import ManifestError
from mscam_tf.data.reading import find_orientation


def check_turned(boxes: Mapping[str, Sequence[Box]], images: Iterable[Path]) -> None:
    """Refuse boxes of images that are shown turned, where the size does not say which was marked.

    Args:
        boxes: The boxes of each image, as a labelling tool has written them.
        images: Image files that boxes may be of.

    Raises:
        ManifestError: If so; it names the box and the image.
    """
    marked: dict[str, list[Box]] = defaultdict(list)  # Several folders may have one name.
    for name, found in boxes.items():
        marked[PurePath(name.replace("\\", "/")).name] += found
    for image in images:
        rows = marked.get(image.name, [])
        orientation = find_orientation(image) if rows else 1
        sized = all(box.image_size for box in rows)  # And then compared, once the image is read.
        if orientation in (2, 3, 4) or (orientation > 1 and not sized):
            raise ManifestError(
                f"{rows[0].place}: the image of a box must be stored as it is shown, because "
                "labelling tools mark what is shown; save it turned, without an orientation. "
                f"Received: {image}, with the orientation {orientation} of EXIF"
            )


def check_upright(images: Iterable[Path]) -> None:
    """Refuse images that are shown turned, where boxes are written for labelling tools.

    Raises:
        ManifestError: If there are any; it names the first.
    """
    for image in images:
        orientation = find_orientation(image)
        if orientation > 1:
            raise ManifestError(
                "Boxes for labelling tools need images that are stored as they are shown: of "
                "others the tools would show them at another place; save these turned, without an "
                f"orientation. Received: {image}, with the orientation {orientation} of EXIF"
            )
