"""JPEG, JPEG-LS and JPEG 2000: what their headers claim, and their decoders.

A codestream is a file of its own, or lies inside a TIFF or DICOM file. There it has a size of its
own, and that is the one which decoders use.
"""

import struct
from typing import NamedTuple

import imagecodecs
import numpy as np

from mscam_tf.data.reading.stored import check_size
from mscam_tf.errors import MscamError

JPEG = b"\xff\xd8\xff"
JPEG_2000 = b"\xff\x4f\xff\x51"
JP2 = b"\0\0\0\x0cjP  "  # JPEG 2000 in the boxes of a file.
_JPEG_LS_FRAME, _LOSSLESS_FRAMES = 0xF7, (0xC3, 0xC7, 0xCB, 0xCF)
_PLAIN_FRAMES = (0xC0, 0xC1, 0xC2)
_NO_FRAMES = (0xC4, 0xC8, 0xCC)  # Tables whose markers lie between those of frames.
_BARE = (0x01, *range(0xD0, 0xD9))  # Markers without a length.
_SCAN, _END = b"\xff\xda", b"\xff\xd9"
# Of JPEG 2000: a segment and, from its marker on, where it says how waves are transformed.
_CODING_STYLE, _TRANSFORM, _IRREVERSIBLE, _PIXELS = 0x52, 13, b"\0", 0x93
_SEGMENT = 24  # Bytes that are enough of a segment.


class Claim(NamedTuple):
    """What the header of a codestream says.

    Attributes:
        height: In pixels.
        width: In pixels.
        bits: Of a sample.
        frame: Marker of the frame of a JPEG or JPEG-LS codestream; 0 for JPEG 2000.
        signed: Whether samples may be negative.
        rounded: Whether JPEG-LS or JPEG 2000 was told to change values.
    """

    height: int
    width: int
    bits: int
    frame: int = 0
    signed: bool = False
    rounded: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether it is JPEG of 8 bits with loss, as every decoder reads it."""
        return self.frame in _PLAIN_FRAMES and self.bits == 8

    @property
    def has_loss(self) -> bool:
        """Whether it is JPEG of any kind that changes values."""
        return self.rounded or self.frame not in (0, _JPEG_LS_FRAME, *_LOSSLESS_FRAMES)


def check_codestream(data: bytes, max_pixels: int) -> Claim:
    """Refuse a codestream by its own header, before it is decoded."""
    try:
        claim = _read_claim(data)
    except (struct.error, IndexError):  # The data end within the header.
        claim = None
    if claim is None:
        raise MscamError("its compressed image does not begin with a size")
    check_size(claim.height, claim.width, max_pixels)
    return claim


def decode_codestream(data: bytes, max_pixels: int) -> tuple[np.ndarray, Claim]:
    """Decode a JPEG, JPEG-LS or JPEG 2000 codestream or file of any bits, and its claim."""
    claim = check_codestream(data, max_pixels)
    if claim.frame and data.rfind(_END) < data.rfind(_SCAN):  # Decoders fill up what is missing.
        raise MscamError("the file is truncated")
    if not claim.frame:
        values = imagecodecs.jpeg2k_decode(data)
    elif claim.frame == _JPEG_LS_FRAME:
        values = imagecodecs.jpegls_decode(data)
    else:
        values = imagecodecs.jpeg_decode(data)
    if values.shape[:2] != (claim.height, claim.width):
        raise MscamError("its compressed image has another size than its header says")
    return values, claim


def _read_claim(data: bytes) -> Claim | None:
    if data.startswith(JP2):
        data = _open_boxes(data)
    if data.startswith(JPEG_2000):  # The first segment is its size.
        width, height, left, top = struct.unpack(">4I", data[8:24])
        style = _find_segment(data, 2, _CODING_STYLE)
        rounded = style[_TRANSFORM : _TRANSFORM + 1] == _IRREVERSIBLE
        bits, signed = (data[42] & 127) + 1, data[42] > 127
        return Claim(height - top, width - left, bits, signed=signed, rounded=rounded)
    return _read_frame(data) if data.startswith(JPEG[:2]) else None


def _open_boxes(data: bytes) -> bytes:
    """Return the codestream in the boxes of a JPEG 2000 file: the one which decoders take."""
    position = 0
    while position + 8 <= len(data):
        length, kind = struct.unpack(">I4s", data[position : position + 8])
        start = position + 8
        if length == 1:  # The length stands behind the name, in 8 bytes.
            (length,) = struct.unpack(">Q", data[start : start + 8])
            start += 8
        if kind == b"jp2c":
            return data[start:]
        if length < start - position:
            break
        position += length
    return b""


def _read_frame(data: bytes) -> Claim | None:
    position = 2
    while data[position : position + 1] == b"\xff":
        marker = data[position + 1] if position + 1 < len(data) else 0
        if marker == 0xFF or marker in _BARE:  # Any number of fill bytes may precede a marker.
            position += 1 if marker == 0xFF else 2
            continue
        if marker == _JPEG_LS_FRAME or (0xC0 <= marker <= 0xCF and marker not in _NO_FRAMES):
            bits, height, width = struct.unpack(">BHH", data[position + 4 : position + 9])
            scan = _find_segment(data, position, _SCAN[1]) if marker == _JPEG_LS_FRAME else b""
            # The error that is allowed follows the components.
            rounded = any(scan[5 + 2 * scan[4] :][:1]) if len(scan) > 4 else False
            return Claim(height, width, bits, marker, rounded=rounded)
        (length,) = struct.unpack(">H", data[position + 2 : position + 4])
        position += 2 + length
    return None


def _find_segment(data: bytes, position: int, marker: int) -> bytes:
    """Return the first bytes of a segment, from its marker on; nothing if it is not there."""
    while data[position : position + 1] == b"\xff":
        found = data[position : position + _SEGMENT]
        if found[1:2] == bytes([marker]):
            return found
        if found[1:2] == bytes([_PIXELS]):
            break
        position += 2 + int.from_bytes(found[2:4], "big")
    return b""
