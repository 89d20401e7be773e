from .backbones import default_taps as default_taps
from .backbones import list_taps as list_taps
from .cam import build_explainer as build_explainer
from .layers import RelevanceCombine as RelevanceCombine
from .models import build_multiscale_classifier as build_multiscale_classifier
from .models import build_single_scale_classifier as build_single_scale_classifier

__version__: str
