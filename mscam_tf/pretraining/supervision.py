"""What the map of each scale should say, by the masks of the objects."""

from typing import Any

import numpy as np

_SCALES = 3


def make_map_targets(coverage: Any) -> dict[str, np.ndarray]:
    """Return what each map should say: the root of the covered share, on each scale's grid.

    The root lifts small objects, and still tells a cell with an object in it from a cell that is
    only touched.

    Examples:
        >>> import numpy as np
        >>> coverage = np.zeros((1, 4, 4, 1)); coverage[0, 0, 1] = 0.25
        >>> targets = make_map_targets(coverage)
        >>> targets["scale1_maps"][0, 0, 1].item(), targets["scale2_maps"][0, 0, 0].item()
        (0.5, 0.25)
        >>> targets["scale3_maps"].shape
        (1, 1, 1, 1)
    """
    batch, height, width, classes = coverage.shape
    targets = {"maps": np.sqrt(coverage)}
    for scale in range(_SCALES):
        side = 2**scale
        cells = coverage.reshape(batch, height // side, side, width // side, side, classes)
        targets[f"scale{scale + 1}_maps"] = np.sqrt(cells.mean((2, 4)))
    return targets
