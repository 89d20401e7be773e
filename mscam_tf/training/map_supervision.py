"""Supervise maps with the places of objects: with masks, or with boxes, which say less."""

from typing import Any

import keras
import numpy as np
from keras import ops

from mscam_tf.models import build_explainer, check_native_maps, find_heads

# What an object is for a class: not of it, perhaps, somewhere in its box, or wherever it is marked.
MAYBE, BOXED, MASKED = 1, 2, 3
_POSITIVE_WEIGHT = 4.0  # Objects cover few cells: each counts as much as four empty ones.
_NOWHERE = -1e9  # A logit so low that it counts for nothing.


def name_maps(scales: int) -> list[str]:
    """Return the outputs of an explainer that are supervised: the sum, and each of several scales.

    Examples:
        >>> name_maps(2), name_maps(1)
        (['maps', 'scale1_maps', 'scale2_maps'], ['maps'])
    """
    each = [f"scale{number}_maps" for number in range(1, scales + 1)]
    return ["maps", *(each if scales > 1 else [])]


@keras.saving.register_keras_serializable(package="mscam_tf")
class MapCalibration(keras.layers.Layer):
    """`g M + o` for each class, in float32: what a map says in log-odds; for training only."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)

    def build(self, input_shape: Any) -> None:
        shape = (input_shape[-1],)
        options: dict[str, Any] = {"shape": shape, "dtype": "float32", "autocast": False}
        self.gain = self.add_weight(initializer="ones", name="gain", **options)
        start = keras.initializers.Constant(-3.0)
        self.offset = self.add_weight(initializer=start, name="offset", **options)

    def call(self, inputs: Any) -> Any:
        maps = ops.cast(inputs, "float32")
        return ops.softplus(ops.convert_to_tensor(self.gain)) * maps + self.offset


def weigh_cells(target: Any, logits: Any) -> Any:
    """Return the cross entropy of each cell, objects weighted four times."""
    target, logits = (ops.cast(x, "float32") for x in (target, logits))
    positive = _POSITIVE_WEIGHT * target * ops.softplus(-logits)
    return positive + (1 - target) * ops.softplus(logits)


def share_cells(numbers: Any, shape: tuple[int, int], objects: int) -> Any:
    """Return which share of each cell of a grid every object covers.

    Args:
        numbers: The number of the object at each pixel, from 1, or 0; `(batch, H, W, 1)`.
        shape: `(rows, columns)` of the grid. A pixel belongs to the cell that its centre is in.
        objects: How many objects there may be, `N`.

    Returns:
        `(batch, rows * columns, N)`, float32, in `[0, 1]`.

    Examples:
        >>> import numpy as np
        >>> numbers = np.array([[1, 1, 0, 2], [1, 0, 0, 2]]).reshape(1, 2, 4, 1)
        >>> np.asarray(share_cells(numbers, (1, 2), 2)).tolist()
        [[[0.75, 0.0], [0.0, 0.5]]]
    """
    rows, columns = (_assign(n, k) for n, k in zip(numbers.shape[1:3], shape, strict=True))
    cells, each = shape[0] * shape[1], objects + 1
    cell = (rows[:, None] * shape[1] + columns).ravel()
    batch = ops.shape(numbers)[0]
    place = ops.expand_dims(ops.arange(batch), 1) * cells + ops.convert_to_tensor(cell)
    bins = ops.reshape(place * each + ops.cast(ops.reshape(numbers, (batch, -1)), "int32"), (-1,))
    pixels = ops.convert_to_tensor(np.bincount(cell, minlength=cells).astype("float32"))
    counts = ops.segment_sum(ops.ones_like(bins, "float32"), bins, batch * cells * each)
    return ops.reshape(counts, (batch, cells, each))[..., 1:] / ops.expand_dims(pixels, 1)


def _assign(pixels: int, cells: int) -> np.ndarray:
    """Return the cell of each pixel along one side."""
    return ((np.arange(pixels) + 0.5) * cells / pixels).astype("int32")


def measure_map(logits: Any, shares: Any, kinds: Any) -> Any:
    r"""Return how far maps are from what is marked in an image.

    A masked class is asked for cell by cell: the target is the root of the share that its objects
    cover. Of a box it is known only that the object is somewhere in it: no cell in it is asked for
    by itself, but all of them together, by the mean of their odds,
    `e = log mean_{p in box} exp(q(p))`, in which the strongest count most. It weighs as its cells
    would. Cells that no object of the class touches are empty. With `n` boxes of `k_n` cells, and
    `P` cells in all:

    `L = (sum_{p in no box} CE(t(p), q(p)) + 4 sum_n k_n softplus(-e_n)) / P`

    Where a map is the same everywhere in a box that it fills, that is the loss of its mask.

    Args:
        logits: What a map says of each cell, in log-odds, `(batch, P, C)`.
        shares: Which share of each cell each object covers, `(batch, P, N)`.
        kinds: What each object is for each class, `(batch, N, C)`: 0, `MAYBE`, `BOXED` (of one
            class) or `MASKED`.

    Returns:
        `(batch, C)`, float32.

    Examples:
        >>> import numpy as np
        >>> logits, shares = np.array([[[2.0], [-5.0], [0.0]]]), np.array([[[1.0], [0.5], [0.0]]])
        >>> evidence = np.log((np.exp(2) + np.exp(-5)) / 2)
        >>> expected = (np.log(2) + 4 * 2 * np.log1p(np.exp(-evidence))) / 3
        >>> found = measure_map(logits.astype("float32"), shares.astype("float32"), [[[BOXED]]])
        >>> bool(abs(float(found[0, 0]) - expected) < 1e-5)
        True

    References:
        - [Ilse et al., 2018](https://arxiv.org/abs/1802.04712), section 2.1: learning from bags of
          which it is only known whether something in them is positive.
        - [Pinheiro and Collobert, 2015](https://arxiv.org/abs/1411.6228), section 3.2: the
          logarithm of the mean of exponentials between the mean and the maximum.
        - [Hsu et al., 2019](https://papers.nips.cc/paper/2019/hash/e6e713296627dff6475085cc6a224464-Abstract.html):
          boxes as bags for maps.
    """
    logits, shares = (ops.cast(x, "float32") for x in (logits, shares))
    kinds = ops.cast(kinds, "int32")
    boxed = ops.cast(kinds == BOXED, "float32")
    touched = ops.cast(shares > 0, "float32")
    target = ops.sqrt(ops.matmul(shares, ops.cast(kinds == MASKED, "float32")))
    unsure = ops.matmul(touched, boxed + ops.cast(kinds == MAYBE, "float32")) > 0
    cells = ops.where(unsure, 0.0, weigh_cells(target, logits))
    own = ops.matmul(logits, ops.transpose(boxed, (0, 2, 1)))  # Of each object's class.
    sizes = ops.sum(touched, axis=1)
    summed = ops.logsumexp(ops.where(touched > 0, own, _NOWHERE), axis=1)
    evidence = summed - ops.log(ops.maximum(sizes, 1.0))
    boxes = _POSITIVE_WEIGHT * sizes * ops.softplus(-evidence)
    of_classes = ops.squeeze(ops.matmul(ops.expand_dims(boxes, 1), boxed), 1)
    return (ops.sum(cells, axis=1) + of_classes) / logits.shape[1]


class MapSupervision(keras.layers.Layer):
    """Pass logits on, and add the loss of maps: `weight` times the sum over the maps.

    The inputs are the logits; the number of the object at each pixel, `(batch, H, W, 1)`; what each
    object is for each class, `(batch, N, C)`; how much each class of each image counts,
    `(batch, C)`; and the maps, each `(batch, h_b, w_b, C)`.
    """

    def __init__(self, weight: float = 1.0, **kwargs: Any) -> None:
        super().__init__(dtype="float32", autocast=False, **kwargs)
        self.weight = weight

    def build(self, input_shape: Any) -> None:
        self.calibrations = [MapCalibration() for _ in input_shape[4:]]
        for layer, shape in zip(self.calibrations, input_shape[4:], strict=True):
            layer.build(shape)
        self.mean = keras.metrics.Mean("map_loss")

    def call(self, inputs: list[Any]) -> Any:
        logits, numbers, kinds, counts, *maps = inputs
        shares: dict[tuple[int, int], Any] = {}
        losses = []
        for values, calibrate in zip(maps, self.calibrations, strict=True):
            shape = tuple(values.shape[1:3])
            if shape not in shares:
                shares[shape] = share_cells(numbers, shape, kinds.shape[1])
            cells = ops.reshape(calibrate(values), (-1, shape[0] * shape[1], values.shape[-1]))
            losses.append(measure_map(cells, shares[shape], kinds))
        loss = ops.sum(counts * sum(losses), axis=-1)
        self.mean.update_state(loss)
        self.add_loss(self.weight * ops.mean(loss))
        return logits

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape[0]


def supervise_maps(model: keras.Model, logits: Any, objects: int, weight: float) -> keras.Model:
    """Return a model of the same layers that learns where objects are, too.

    Args:
        model: A classifier of `C` classes, for images of one size.
        logits: What the model shall end in: its output, or what `show_heads` makes of it.
        objects: How many objects an image may have, `N`.
        weight: Weight of the loss of the maps, see `measure_map`: of each scale's, and of their
            sum.

    Returns:
        A model of `image`, and for the loss alone of `numbers`, `kinds` and `counts`; see
        `MapSupervision`.

    Raises:
        MscamError: If the model crops, pads or turns images: its maps do not lie over the whole.
    """
    explainer = build_explainer(model, "native", scale_maps=True)
    check_native_maps(explainer)
    maps = [explainer.output[name] for name in name_maps(len(find_heads(model).heads))]
    classes = maps[0].shape[-1]
    inputs = {
        "image": model.input,
        "numbers": keras.Input((*model.input.shape[1:3], 1), name="numbers"),
        "kinds": keras.Input((objects, classes), name="kinds"),
        "counts": keras.Input((classes,), name="counts"),
    }
    marks = [inputs[name] for name in ("numbers", "kinds", "counts")]
    supervision = MapSupervision(weight, name="map_supervision")
    return keras.Model(inputs, supervision([logits, *marks, *maps]), name=model.name)
