"""The experiments of Lee and Cho (2021): Table 1, Figure 1 and the failure analysis."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
