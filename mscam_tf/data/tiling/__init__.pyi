from .config import Tiling as Tiling
from .cut import PATCH_FOLDER as PATCH_FOLDER
from .cut import cut_patches as cut_patches
from .frames import list_frames as list_frames
from .frames import list_inputs as list_inputs
from .plan import list_starts as list_starts
from .plan import plan_patches as plan_patches
