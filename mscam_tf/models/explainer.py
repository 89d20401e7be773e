"""The explainer: an ordinary model that returns, in one pass, the logits and their maps."""

from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from mscam_tf.errors import MscamError
from mscam_tf.models.drawing import Drawing
from mscam_tf.models.geometry import Geometry
from mscam_tf.models.heads import Head, find_heads, pool_map, spread_map
from mscam_tf.models.relevance import RelevanceCombine


def build_explainer(
    model: keras.Model,
    map_size: str | tuple[int, int] = "input",
    scale_maps: bool = False,
    activation: str | None = None,
    cell_contributions: bool = False,
) -> keras.Model:
    r"""Build the model that explains a classifier: logits and multi-scale class activation maps.

    For scale `b` and class `c`, without gradients and in the forward pass itself:

    - scale map `M_b^c(x, y) = sum_k w_bk^c f_b(x, y, k)`
    - multi-scale map `S^c = sum_b h_b^c Resize(M_b^c)` (bilinear)
    - contribution of a scale `a_b^c = h_b^c mean_xy M_b^c`, or with heads that pool by `SoftPool`
      `h_b^c sum_xy p M_b^c`
    - logit `z^c = sum_b (a_b^c + h_b^c bias_b^c)`: at native resolution every logit is accounted
      for, pixel by pixel and scale by scale. With heads that pool by the mean, and where the
      input's height and width are multiples of the coarsest stride, the mean of the full-size `S^c`
      is `sum_b a_b^c` too. With `SoftPool`, where strong places count more, it is at most that.

    The explainer shares the model's weights: its maps follow them while the model trains. It can
    be predicted with, compiled, and exported; to save it, save the model and build it anew.

    Where the model itself crops, pads, resizes to an aspect ratio, slices, permutes or flips images
    (by a layer of Keras, or `keras.ops`), its maps are drawn where it looked: each cell around the
    centre of its window. What is cut off has a map of 0 logits: nothing was looked at there. What
    lies in padding is left out of the maps, but counts in logits and contributions, so that the
    mean of the full-size map is not their sum. Without such layers cells are spread evenly over
    the image. On JAX and PyTorch a model that has them must be built for one image size. Images
    with the channels first, `(batch, channels, height, width)`, have the same maps as others, with
    the classes last.

    Args:
        model: A classifier of this library, or any functional or Sequential one that ends in
            `GlobalAveragePooling2D` and Dense, also on a nested backbone. A plain one has one
            scale with relevance 1. In the place of Dense may stand any layers that are linear at
            inference, before or behind the pooling: 1 x 1 convolutions, batch normalization.
        map_size: Size of the maps: `"input"` (the image's), `"native"` (of the finest feature
            map; scale maps then keep each its own), or `(height, width)`. Native maps are turned as
            the image is, and show what the feature maps cover of it, padding included.
        scale_maps: Whether to return the maps `M_b^c` of each scale too.
        activation: What makes probabilities of logits: `"softmax"` (one label) or `"sigmoid"`
            (several). By default the model's own final activation; where it ends in logits,
            softmax, or sigmoid if it has one class.
        cell_contributions: Whether to return what each cell of a scale's own grid adds to the logit
            too: `h_b^c p_b^c M_b^c`, where `p` is one over the number of cells for heads that pool
            by the mean, or the weights of `SoftPool`. Over all cells that is the contribution.
            Where cells are not spread evenly over the image, they are shared out among its pixels.

    Returns:
        A `keras.Model` with the inputs of `model` and a dict of float32 outputs:

        | key | shape | unit |
        | --- | --- | --- |
        | `logits` | `(batch, C)` | logits |
        | `probabilities` | `(batch, C)` | `[0, 1]` |
        | `contributions` | `(batch, B, C)` | logits, without the heads' biases |
        | `maps` | `(batch, height, width, C)` | logits |
        | `scale1_maps`, ... | `(batch, height_b, width_b, C)` | logits, before `h` |
        | `scale1_contributions`, ... | `(batch, H_b, W_b, C)` | logits, on the scale's own grid |

    Raises:
        MscamError: If the model has no such head, or an argument is not one of those above; or if
            places cannot be followed through a layer, which is named: its maps would lie in a wrong
            place.

    Examples:
        >>> import numpy as np, mscam_tf
        >>> model = mscam_tf.build_multiscale_classifier(3, (64, 64), backbone="MobileNetV2")
        >>> explainer = mscam_tf.build_explainer(model)
        >>> outputs = explainer.predict(np.zeros((2, 64, 64, 1)), verbose=0)
        >>> outputs["maps"].shape, outputs["contributions"].shape
        ((2, 64, 64, 3), (2, 3, 3))

    References:
        - [Zhou et al., 2016](https://arxiv.org/abs/1512.04150), section 2, equations 1 and 2: CAM.
        - Lee and Cho, 2021: multi-scale class activation map.
    """
    _check_arguments(map_size, activation)
    found = find_heads(model)
    if activation is None:
        num_classes = found.heads[0].num_classes
        activation = found.activation or ("sigmoid" if num_classes == 1 else "softmax")
    wanted = _Wanted(map_size, scale_maps, cell_contributions, activation)
    image, feature_maps = _find_image(model), [head.feature_map for head in found.heads]
    geometry = Geometry(model, image, feature_maps)
    layer = _MultiScaleMaps(found.heads, found.relevance, geometry, wanted, name="cam")
    outputs = layer([*feature_maps, image])
    inputs = model.inputs[0] if len(model.inputs) == 1 else model.input
    return keras.Model(inputs, outputs, name=f"{model.name}_explainer")


@dataclass(frozen=True)
class _Wanted:
    """The arguments of `build_explainer` that say what comes out."""

    map_size: str | tuple[int, int]
    scale_maps: bool
    cell_contributions: bool
    activation: str


def check_native_maps(explainer: keras.Model) -> None:
    """Refuse an explainer whose native maps do not lie evenly over the whole image.

    Args:
        explainer: From `build_explainer`.

    Raises:
        MscamError: If its model crops, pads or turns images.
    """
    if not explainer.get_layer("cam").geometry.is_plain:
        raise MscamError(
            "Native maps are compared with the whole image here, and this model crops, pads or "
            "turns images. Do that to the images before they go into the model. "
            f"Received: model={explainer.name.removesuffix('_explainer')!r}"
        )


class _MultiScaleMaps(keras.layers.Layer):
    """Maps, contributions and logits from feature maps, by the kernels of heads it does not own."""

    def __init__(
        self,
        heads: tuple[Head, ...],
        relevance: RelevanceCombine | None,
        geometry: Geometry,
        wanted: _Wanted,
        **kwargs: Any,
    ) -> None:
        super().__init__(dtype="float32", autocast=False, **kwargs)
        self.heads = heads
        self.parts = [part for head in heads for part in (*head.layers, head.pool) if part]
        self.relevance = relevance
        self.geometry = geometry
        self.wanted = wanted
        self.activation = wanted.activation

    def build(self, input_shape: Any) -> None:
        """Nothing to create: all weights belong to the classifier."""

    def call(self, inputs: list[Any]) -> dict[str, Any]:
        *feature_maps, image = inputs
        relevance = self._get_relevance()
        kernels, biases = zip(*(head.fold() for head in self.heads), strict=True)
        maps = [_map(f, kernel) for f, kernel in zip(feature_maps, kernels, strict=True)]
        maps = self.geometry.turn(maps)
        pairs = zip(maps, self.heads, strict=True)
        pooled = ops.stack([pool_map(m, head.pool) for m, head in pairs], axis=1)
        contributions = relevance * pooled
        logits = ops.sum(contributions + relevance * ops.stack(biases), axis=1)
        drawing = Drawing(self.geometry, self.wanted.map_size, maps, image)
        outputs = {
            "logits": logits,
            "probabilities": activate(logits, self.activation),
            "contributions": contributions,
            "maps": drawing.add_up({b: relevance[b] * m for b, m in enumerate(maps)}),
        }
        for b, m in enumerate(maps):
            if self.wanted.scale_maps:
                native = self.wanted.map_size == "native"
                outputs[f"scale{b + 1}_maps"] = m if native else drawing.add_up({b: m})
            if self.wanted.cell_contributions:
                cells = relevance[b] * spread_map(m, self.heads[b].pool)
                outputs[f"scale{b + 1}_contributions"] = drawing.share_out(cells, b)
        return outputs

    def _get_relevance(self) -> Any:
        if self.relevance is None:
            return ops.ones((1, self.heads[0].num_classes), "float32")
        return ops.cast(self.relevance.relevance, "float32")

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError(
            "An explainer holds no weights of its own and is not saved as .keras. Save the "
            "classifier, load it, and call mscam_tf.build_explainer on it; or export the "
            "explainer with `explainer.export(...)`."
        )


def _map(feature_map: Any, kernel: Any) -> Any:
    # As a convolution of 1 x 1: a product has runtimes that keep channels first copy all features.
    kernel = ops.expand_dims(kernel, (0, 1))
    return ops.conv(ops.cast(feature_map, "float32"), kernel, data_format="channels_last")


def activate(logits: Any, activation: str) -> Any:
    """Make probabilities of logits, by `"softmax"` or `"sigmoid"`."""
    return ops.softmax(logits, axis=-1) if activation == "softmax" else ops.sigmoid(logits)


def _find_image(model: keras.Model) -> Any:
    images = [x for x in model.inputs if len(x.shape) == 4]
    if len(images) != 1:
        raise MscamError(
            "build_explainer needs a model with one image input of shape (batch, height, width, "
            f"channels). Received: model={model.name!r} with inputs "
            f"{[tuple(x.shape) for x in model.inputs]}"
        )
    return images[0]


def _check_arguments(map_size: Any, activation: str | None) -> None:
    sized = (
        isinstance(map_size, tuple)
        and len(map_size) == 2
        and all(isinstance(side, int) and side > 0 for side in map_size)
    )
    if not sized and map_size not in ("input", "native"):
        raise MscamError(
            "`map_size` must be 'input', 'native' or a tuple (height, width) of positive integers. "
            f"Received: map_size={map_size!r}"
        )
    if activation not in (None, "softmax", "sigmoid"):
        raise MscamError(
            "`activation` must be None, 'softmax' or 'sigmoid'. "
            f"Received: activation={activation!r}"
        )
