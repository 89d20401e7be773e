"""Inspect what a line makes: whole frames, long folders, and folders that a scanner fills."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
