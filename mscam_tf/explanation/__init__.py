"""Explain images with a run: maps, sums in words, pictures."""

import importlib
from typing import Any

import lazy_loader

from mscam_tf.deprecation import warn_moved

_get_public, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    if name in ("Explanation", "describe_logit"):  # Of 0.1.0; a session makes them since.
        warn_moved(f"{__name__}.{name}", f"mscam_tf.runs.{name}")
        return getattr(importlib.import_module("mscam_tf.runs"), name)
    return _get_public(name)
