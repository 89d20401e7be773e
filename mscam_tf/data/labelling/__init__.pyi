from .labels import fit_thresholds as fit_thresholds
from .labels import format_size as format_size
from .labels import label_binary as label_binary
from .labels import label_by_size as label_by_size
from .sizes import SIZE_MEASURES as SIZE_MEASURES
from .sizes import measure_boxes as measure_boxes
from .sizes import measure_images as measure_images
from .sizes import measure_mask as measure_mask
