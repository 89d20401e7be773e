"""How programs show a picture: turned or mirrored, where EXIF or TIFF says so."""

import struct
from pathlib import Path

import tifffile
from PIL import Image, JpegImagePlugin, PngImagePlugin

from mscam_tf.data.reading.codestreams import JPEG
from mscam_tf.data.reading.formats import PNG, TIFFS

_ORIENTATION = 274  # The tag of EXIF and TIFF.
_EXIF = b"eXIf"  # The chunk of a PNG file.


def find_orientation(path: Path, page: int | None = None) -> int:
    """Return how an image is shown, by EXIF or TIFF.

    Args:
        path: The file; one that is missing, broken or of another format is upright.
        page: Page of a TIFF file.

    Returns:
        1 as it is stored, 3 upside down, and so on; from 5 on the sides are swapped.
    """
    try:
        with path.open("rb") as file:
            head = file.read(8)
        found = _read_tiff(path, page or 0) if head.startswith(TIFFS) else _read_exif(path, head)
    except Exception:  # Who reads the image says so.
        return 1
    return found if isinstance(found, int) and 1 < found < 9 else 1


def _read_tiff(path: Path, page: int) -> object:
    with tifffile.TiffFile(path) as file:
        tag = file.pages[page].aspage().tags.get(_ORIENTATION)
    return None if tag is None else tag.value


def _read_exif(path: Path, head: bytes) -> object:
    if head.startswith(PNG):
        with PngImagePlugin.PngImageFile(path) as image:
            if chunk := _find_chunk(path):
                image.info["exif"] = chunk
            return Image.Image.getexif(image).get(_ORIENTATION)  # Its own decodes the pixels.
    if head.startswith(JPEG):
        with path.open("rb") as file, JpegImagePlugin.jpeg_factory(file) as image:
            return image.getexif().get(_ORIENTATION)
    return None


def _find_chunk(path: Path) -> bytes:
    """Return the EXIF of a PNG file, which may stand behind the pixels."""
    with path.open("rb") as file:
        file.seek(len(PNG))
        while len(head := file.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            if kind == _EXIF:
                return file.read(length)
            file.seek(length + 4, 1)
    return b""
