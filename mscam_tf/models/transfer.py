"""From the pretrained heads to heads for classes of your own, by a few labelled images."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from mscam_tf.errors import MscamError
from mscam_tf.models.builders import build_multiscale_classifier
from mscam_tf.models.heads import Head, find_heads, find_relevance, pool_map
from mscam_tf.models.mixture import fit_findings, fit_mixture
from mscam_tf.models.pooling import SoftPool
from mscam_tf.models.pretrained import Pretrained
from mscam_tf.models.relevance import RelevanceCombine
from mscam_tf.models.weights import load_pretrained
from mscam_tf.settings import GLOBAL, View

_NEW_SCALE = 0.05  # Relevance of a scale that knows nothing yet.


def build_pretrained_classifier(
    image_size: tuple[int | None, int | None] | None = None, pretrained: Pretrained | None = None
) -> keras.Model:
    """Build the classifier that `weights="xray"` comes from, its heads included.

    It knows simulated scenes only, yet it can sort radiographs before any is labelled. Its ten
    classes are not exclusive: take `sigmoid` of its logits. Their names are
    `mscam_tf.load_pretrained().targets`: `bone`, `bone_scale1`, ..., `dense_small`, ..., `crack`.

    Args:
        image_size: `(height, width)` in pixels; `None` for either or both takes any size.
        pretrained: Other weights than the embedded ones.

    Returns:
        A multi-scale classifier with logits `(batch, 10)`.

    Raises:
        OSError: If the file of the weights is damaged.

    Examples:
        >>> import mscam_tf
        >>> model = mscam_tf.build_pretrained_classifier()
        >>> mscam_tf.build_explainer(model, activation="sigmoid").output["maps"].shape
        (None, None, None, 10)
    """
    pretrained = pretrained or load_pretrained()
    model = build_multiscale_classifier(
        len(pretrained.targets),
        image_size,
        backbone=pretrained.architecture,
        scales=len(pretrained.kernels),
        views=pretrained.views,
        pooling=pretrained.pooling,
    )
    pretrained.copy_to(model.get_layer("backbone"))
    _copy_heads(pretrained, find_heads(model).heads)
    if (mixing := find_relevance(model)) is not None:
        mixing.set_relevance(pretrained.relevance)
    return model


def go_on_from(model: keras.Model, pretrained: Pretrained, views: Sequence[View]) -> None:
    """Give a classifier with the same targets the weights of a pretrained one, heads included.

    Heads at finer scales than the pretrained ones stay as they are, with a small relevance. Where
    the pretrained classifier saw the global view alone, its first kernels go to the channel of that
    view, so that the classifier says the same as before.

    Args:
        model: From `build_multiscale_classifier`, with these views.
        pretrained: Weights of the same backbone.
        views: What its channels see.

    Raises:
        ValueError: If backbone, taps or views do not fit.
    """
    backbone = model.get_layer("backbone")
    pretrained.copy_to(backbone)
    if tuple(views) != pretrained.views:
        _give_to_global(backbone, pretrained, tuple(views))
    heads = find_heads(model).heads
    known = min(len(heads), len(pretrained.kernels))
    _check_taps(
        [head.feature_map.shape[-1] for head in heads[-known:]], list(pretrained.kernels[-known:])
    )
    _copy_heads(pretrained, heads[-known:])
    if (mixing := find_relevance(model)) is not None:
        relevance = np.full((len(heads), len(pretrained.targets)), _NEW_SCALE, np.float32)
        relevance[-known:] = pretrained.relevance[-known:]
        mixing.set_relevance(relevance / relevance.sum(0))


def _copy_heads(pretrained: Pretrained, heads: Sequence[Head]) -> None:
    """Set the heads at the coarsest scales, as many as there are of these."""
    kernels, biases = (each[-len(heads) :] for each in (pretrained.kernels, pretrained.biases))
    for head, kernel, bias in zip(heads, kernels, biases, strict=True):
        head.dense.kernel.assign(kernel)
        head.dense.bias.assign(bias)


def _give_to_global(backbone: keras.Model, pretrained: Pretrained, views: tuple[View, ...]) -> None:
    """Add the first kernels over channels up, since all channels were the global view."""
    if pretrained.views != GLOBAL or "global" not in views:
        raise MscamError(
            "Weights can be gone on from with the same views, or from 'global' alone with views "
            f"that hold it. Received: views={views!r}, and weights with {pretrained.views!r}"
        )
    first = next(layer for layer in backbone.layers if isinstance(layer, keras.layers.Conv2D))
    kernel = np.zeros_like(keras.ops.convert_to_numpy(first.kernel))
    kernel[:, :, views.index("global")] = keras.ops.convert_to_numpy(first.kernel).sum(2)
    first.kernel.assign(kernel)


def initialize_heads(
    model: keras.Model, images: Any, labels: np.ndarray, pretrained: Pretrained | None = None
) -> None:
    r"""Start each class from the pretrained target that tells it best, or from none.

    With the pretrained logits `t_k`, a logistic regression `z^c = a_c t_k(c) + o_c` is fitted to
    the labels: at most one target `k(c)` a class, taken only while it explains more, with a gain
    `a_c >= 0` and an offset `o_c` whose prior is the pretrained logit as it is (1 and 0), so that
    a handful of images suffices. That is a multi-scale classifier with the kernels
    `a_c h_b^k w_b^k / h_b^c`: these are set. So the new maps start as pretrained maps, which were
    taught where things are. A class without a target, such as `none`, starts with an empty map.

    Args:
        model: From `build_multiscale_classifier` or `build_single_scale_classifier` with
            `weights="xray"` and the default taps.
        images: What `model.predict` takes: `(n, H, W, channels)`, values in `[0, 1]`, or a
            dataset of batches of them.
        labels: Class index of each, `(n,)`, or 0 and 1 for each of several findings, `(n, C)`;
            every class must occur, and no finding may be everywhere.
        pretrained: Other weights than the embedded ones.

    Raises:
        ValueError: If a class does not occur, or the model has other taps or heads of unit norm.

    References:
        Kumar et al., 2022, [arXiv:2202.10054](https://arxiv.org/abs/2202.10054), section 3: heads
        fitted before the rest is tuned keep what was pretrained.
    """
    pretrained = pretrained or load_pretrained()
    logits = build_targets(model, pretrained).predict(images, verbose=0)
    start_heads(model, logits, labels, pretrained)


def build_targets(model: keras.Model, pretrained: Pretrained) -> keras.Model:
    """Build what says the pretrained logits `(n, targets)` on the features of a classifier.

    Its maps are pooled as those of the classifier are.

    Raises:
        ValueError: If the classifier has other taps.
    """
    heads = find_heads(model).heads
    kernels, relevance = _select(pretrained, len(heads))
    _check_taps([head.feature_map.shape[-1] for head in heads], kernels)
    biases = pretrained.biases[-len(heads) :]
    logits, layers = [], []
    for head in heads:
        layers.append(keras.layers.Dense(len(pretrained.targets), dtype="float32"))
        maps = layers[-1](head.feature_map)
        logits.append(pool_map(maps, head.pool and SoftPool(head.pool.sharpness)))
    combined = logits[0]
    if len(logits) > 1:
        combine = RelevanceCombine("softmax")
        combined = combine(logits)
        combine.set_relevance(relevance)
    for layer, kernel, bias in zip(layers, kernels, biases, strict=True):
        layer.kernel.assign(kernel)
        layer.bias.assign(bias)
    return keras.Model(model.input, combined)


def start_heads(
    model: keras.Model, logits: np.ndarray, labels: np.ndarray, pretrained: Pretrained
) -> None:
    """Do what `initialize_heads` does, for logits that `build_targets` gave."""
    heads = find_heads(model).heads
    if any(head.dense.kernel_constraint is not None for head in heads):
        raise MscamError(
            "Heads that start as pretrained ones have kernels of any norm. "
            "Received: a model with unit_norm_heads=True"
        )
    classes, labels = heads[0].dense.units, np.asarray(labels)
    _check_labels(labels, classes)
    fit = fit_mixture if labels.ndim == 1 else fit_findings
    mixture, offset = fit(logits, labels, classes)
    kernels, relevance = _select(pretrained, len(heads))
    biases = zip(pretrained.biases[-len(heads) :], relevance, strict=True)
    bias = sum(b * h for b, h in biases) @ mixture + offset
    start = relevance.mean(1)
    for head, kernel, own, h in zip(heads, kernels, relevance, start, strict=True):
        gains = mixture * own[:, None] / h
        head.dense.kernel.assign(kernel @ gains)
        head.dense.bias.assign(bias)
        if head.pool is not None:  # A map that is scaled is weighted as it was.
            total = gains.sum(0)
            head.pool.scale.assign(head.pool.sharpness / np.where(total > 0, total, 1))
    if (mixing := find_relevance(model)) is not None:
        mixing.set_relevance(np.tile(start[:, None], classes))


def _select(pretrained: Pretrained, scales: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the kernels and the relevance of the coarsest scales, as convex combinations."""
    relevance = pretrained.relevance[-scales:]
    return list(pretrained.kernels[-scales:]), relevance / relevance.sum(0)


def _check_labels(labels: np.ndarray, classes: int) -> None:
    if labels.ndim == 1 and set(np.unique(labels)) != set(range(classes)):
        raise MscamError(
            f"`labels` must hold each class from 0 to {classes - 1}. "
            f"Received: labels of the classes {np.unique(labels).tolist()}"
        )
    counts = (labels > 0).sum(0).tolist()
    if labels.ndim == 2 and not all(0 < count < len(labels) for count in counts):
        raise MscamError(
            "Each finding in `labels` must be there in some images and not in others. "
            f"Received: findings that occur in {counts} of {len(labels)} images"
        )


def _check_taps(found: list[int], kernels: list[np.ndarray]) -> None:
    expected = [kernel.shape[0] for kernel in kernels]
    if found != expected:
        raise MscamError(
            f"The pretrained heads read {expected} channels. Received: taps with {found}"
        )
