"""Runs on the line: exports with the maps inside, and sessions of them without TensorFlow."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
