"""Classifiers for radiographs that show where they looked, and at which scale.

The public names stand in `__init__.pyi`; each is imported when it is first used, so that the
command line answers at once.
"""

import importlib
import sys
from importlib.metadata import version
from typing import Any

import lazy_loader
import wrapt

from mscam_tf.deprecation import MOVED_IN_0_2, MovedFinder

__version__ = version("mscam-tf")

_get_public, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
# First, because folders that have moved may remain in a checkout, empty but for compiled files.
sys.meta_path.insert(0, MovedFinder())


def __getattr__(name: str) -> Any:
    if f"{__name__}.{name}" in MOVED_IN_0_2:
        return importlib.import_module(f"{__name__}.{name}")
    return _get_public(name)


# Keras can load a saved model only once its layers are registered, which importing them does.
for _name in ("relevance", "pooling"):
    wrapt.register_post_import_hook(
        lambda _, name=_name: importlib.import_module(f"mscam_tf.models.{name}"), "keras"
    )
