"""Data sets for TensorFlow Datasets, and where labelled images come from.

Importing this registers the data sets with TensorFlow Datasets, as soon as that is imported.
"""

import importlib

import lazy_loader
import wrapt

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

# TensorFlow Datasets finds a data set by its name once its class is defined.
for _name in ("gdxray_fishbones", "gdxray_welds", "simulated_bones"):
    wrapt.register_post_import_hook(
        lambda _, name=_name: importlib.import_module(f"mscam_tf.datasets.{name}"),
        "tensorflow_datasets",
    )
