"""Inspections as rows of a table."""

import hashlib
import os
import re
from pathlib import Path
from typing import Any

from mscam_tf.drift import FEATURES
from mscam_tf.files import shorten_name
from mscam_tf.inspection.inspections import Inspection, Verdict

_EMPTY = dict.fromkeys(
    (
        *("height", "width", "label", "score", "rejected", "logits", "regions", "tiles"),
        *("picture", "latency", "problem", "drift", "drift_feature", *FEATURES),
    )
)
# Bytes that are no UTF-8, as Python holds them; and what is written like one.
_BYTE = re.compile(r"\\+(?=x[89a-f][0-9a-f])|(\\*)([\udc80-\udcff])")
_ROOM = 200  # Bytes of the name of a picture, without what is appended.


def name_path(path: Path) -> str:
    r"""Name a file in full: in its real folder, whatever links lead there, and in UTF-8.

    So a folder and a link to it hold the same images; and where a link moves on, from day to day,
    the images of a name are as many as the days.

    Examples:
        >>> name_path(Path("/scans/\udcff.png"))
        '/scans/\\xff.png'
    """
    return make_utf8(str(_find_place(path)))


def _find_place(path: Path) -> Path:
    return Path(os.path.realpath(path.parent)) / path.name


def make_utf8(text: str) -> str:
    r"""Write the bytes of a name that are no UTF-8 as escapes: Parquet files hold UTF-8 alone.

    A backslash of the name itself before what may be taken for an escape is doubled, so that two
    names stay two.

    Examples:
        >>> print(make_utf8("caf\udce9"), make_utf8(r"caf\xe9"))
        caf\xe9 caf\\xe9
    """

    def escape(found: re.Match[str]) -> str:
        slashes, byte = found.groups()
        return found[0] * 2 if byte is None else f"{slashes * 2}\\x{ord(byte) - 0xDC00:02x}"

    return _BYTE.sub(escape, text)


def name_picture(path: Path) -> str:
    """Name the picture of an image: after it, and told from others of that name by a hash.

    Examples:
        >>> name_picture(Path("/scans/a.tif"))
        'a_c73ea417.png'
    """
    digest = hashlib.sha256(os.fsencode(_find_place(path))).hexdigest()
    return f"{shorten_name(Path(name_path(path)).stem, _ROOM)}_{digest[:8]}.png"


def make_row(path: Path, **values: Any) -> dict[str, Any]:
    """Make the row of an image; what is not given is `None`."""
    return {"path": name_path(path), **_EMPTY, "modified": find_modified(path), **values}


def find_modified(path: Path) -> float | None:
    """Return when a file was last written, in seconds since 1970; `None` where it is gone."""
    try:
        return path.stat().st_mtime
    except OSError:
        return None


def describe_inspection(inspection: Inspection, picture: str | None) -> dict[str, Any]:
    """Make the row of an image that was inspected."""
    height, width = inspection.size
    return make_row(
        inspection.path,
        height=height,
        width=width,
        **describe_verdict(inspection.verdict),
        logits=inspection.verdict.logits.tolist(),
        regions=len(inspection.regions),
        tiles=len(inspection.tiles) or None,
        picture=picture,
    )


def describe_verdict(verdict: Verdict) -> dict[str, Any]:
    """Return the cells of a verdict."""
    return {"label": verdict.label, "score": verdict.score, "rejected": verdict.rejected}


def say_verdict(verdict: Verdict, shown: str) -> str:
    """Say a verdict in a line, with the class whose map is shown.

    Examples:
        >>> import numpy as np
        >>> say_verdict(Verdict("bone", np.zeros(2), 1.5, True), "bone")
        'REJECT, score 1.50, bone; map of bone'
    """
    start = ""
    if verdict.score is not None:
        start = f"{'REJECT' if verdict.rejected else 'accept'}, score {verdict.score:.2f}, "
    return f"{start}{verdict.label}; map of {shown}"
