"""Random streams of simulated data sets: sets that differ in anything share no image."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np


def open_stream(settings: Mapping[str, Any], number: int) -> np.random.Generator:
    """Open a random stream of a data set.

    All settings enter the seed, not only the one of that name: of two sets with one seed, 100 and
    371 images, one may well be trained on and the other scored.

    Args:
        settings: All that tells one data set from another.
        number: Of the stream: 0 is for the whole set, `i + 1` for image `i`.

    Examples:
        >>> streams = [({"seed": 0, "images": n}, i) for n in (100, 371) for i in (0, 1)]
        >>> len({open_stream(*stream).integers(10**9) for stream in streams})
        4
    """
    text = json.dumps(_tell(settings), sort_keys=True)
    digest = hashlib.sha256(text.encode()).digest()
    return np.random.default_rng([*np.frombuffer(digest, "<u4").tolist(), number])


def _tell(value: Any) -> Any:
    """Return a value as JSON; numbers that are equal are told alike."""
    if isinstance(value, Mapping):
        return {str(name): _tell(part) for name, part in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_tell(part) for part in value]
    if value is None or isinstance(value, str):
        return value
    return int(value) if value == int(value) else float(value)
