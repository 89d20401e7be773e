"""Classifiers for radiographs that show where they looked, and at which scale.

The public names stand in `__init__.pyi`; each is imported when it is first used, so that the
command line answers at once.
"""

import importlib
from importlib.metadata import version

import lazy_loader
import wrapt

__version__ = version("mscam-tf")

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

# Keras can load a saved model only once its layers are registered, which importing them does.
for _name in ("relevance", "pooling"):
    wrapt.register_post_import_hook(
        lambda _, name=_name: importlib.import_module(f"mscam_tf.models.{name}"), "keras"
    )
