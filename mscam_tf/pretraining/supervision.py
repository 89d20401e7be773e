"""What the map of each scale should say, by the masks of the objects."""

from typing import Any

import numpy as np
from keras import ops

from mscam_tf.training import weigh_cells

_HIDDEN = -1.0  # What is not asked for.


def make_map_targets(coverage: Any, hidden: Any, scales: int) -> dict[str, np.ndarray]:
    """Return what each map should say: the root of the covered share, on each scale's grid.

    The root lifts small objects, and still tells a cell with an object in it from a cell that is
    only touched. The sides of the cells double from one scale to the next. Cells of which a part is
    hidden, and nothing is seen, are -1: they are not asked for.

    Examples:
        >>> import numpy as np
        >>> coverage, hidden = np.zeros((2, 1, 4, 4, 1))
        >>> coverage[0, 0, 1], hidden[0, 3, 3] = 0.25, 0.5
        >>> targets = make_map_targets(coverage, hidden, scales=3)
        >>> targets["scale1_maps"][0, 0, 1].item(), targets["scale1_maps"][0, 3, 3].item()
        (0.5, -1.0)
        >>> targets["scale2_maps"][0, 0, 0].item()
        0.25
        >>> targets["scale3_maps"].shape
        (1, 1, 1, 1)
    """
    targets = {"maps": _ask(coverage, hidden)}
    for scale in range(scales):
        cells = (_coarsen(shares, 2**scale) for shares in (coverage, hidden))
        targets[f"scale{scale + 1}_maps"] = _ask(*cells)
    return targets


def _ask(coverage: Any, hidden: Any) -> np.ndarray:
    return np.where((coverage == 0) & (hidden > 0), _HIDDEN, np.sqrt(coverage))


def _coarsen(shares: Any, side: int) -> Any:
    batch, height, width, classes = shares.shape
    cells = shares.reshape(batch, height // side, side, width // side, side, classes)
    return cells.mean((2, 4))


def measure_asked(target: Any, logits: Any) -> Any:
    """Return the mean cross entropy of cells, `(batch,)`, without those that are not asked for."""
    losses = weigh_cells(ops.maximum(target, 0), logits)
    return ops.mean(ops.where(target < 0, 0.0, losses), axis=(1, 2, 3))
