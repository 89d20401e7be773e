"""From the pretrained heads to heads for classes of your own, by a few labelled images."""

import warnings
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from mscam_tf.models import build_multiscale_classifier
from mscam_tf.pretrained import BACKBONE, Pretrained, load_pretrained

_STRENGTH = 1.0  # Of the fit: the inverse of scikit-learn's penalty on the coefficients.


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
    model = build_multiscale_classifier(len(pretrained.targets), image_size, backbone=BACKBONE)
    pretrained.copy_to(model.get_layer("backbone"))
    heads = zip(_find_heads(model), pretrained.kernels, pretrained.biases, strict=True)
    for (_, head), kernel, bias in heads:
        head.kernel.assign(kernel)
        head.bias.assign(bias)
    model.get_layer("relevance").set_relevance(pretrained.relevance)
    return model


def initialize_heads(
    model: keras.Model, images: Any, labels: np.ndarray, pretrained: Pretrained | None = None
) -> None:
    r"""Start each head in the span of the pretrained heads.

    With the pretrained logits `t_k = sum_b h_b^k w_b^k mean_xy f_b`, standardised over the
    images, a logistic regression `z^c = sum_k V_kc t_k + o^c` is fitted to the labels, with a
    penalty, so that a handful of images suffices. It is itself a multi-scale classifier, with the
    kernels `sum_k V_kc h_b^k w_b^k / h_b^c`: these are set. So the new maps are mixtures of the
    pretrained ones, and keep their places.

    Args:
        model: From `build_multiscale_classifier` or `build_single_scale_classifier` with
            `weights="xray"` and the default taps.
        images: What `model.predict` takes: `(n, H, W, channels)`, values in `[0, 1]`, or a
            dataset of batches of them.
        labels: Class index of each, `(n,)`; every class must occur.
        pretrained: Other weights than the embedded ones.

    Raises:
        ValueError: If a class does not occur, or the model has other taps.

    References:
        Kumar et al., 2022, [arXiv:2202.10054](https://arxiv.org/abs/2202.10054), section 3: heads
        fitted before the rest is tuned keep what was pretrained.
    """
    features = pool_features(model, images)
    start_heads(model, features, labels, pretrained)


def pool_features(model: keras.Model, images: Any) -> list[np.ndarray]:
    """Return what the head at each scale sees of each image, `(n, K_b)`, the finest first."""
    pools = [pool.output for pool, _ in _find_heads(model)]
    pooled = keras.Model(model.input, pools).predict(images, verbose=0)
    return pooled if isinstance(pooled, list) else [pooled]


def start_heads(
    model: keras.Model,
    features: Sequence[np.ndarray],
    labels: np.ndarray,
    pretrained: Pretrained | None = None,
) -> None:
    """Do what `initialize_heads` does, for features that `pool_features` returned."""
    pretrained = pretrained or load_pretrained()
    heads = [head for _, head in _find_heads(model)]
    classes = heads[0].units
    if set(np.unique(labels)) != set(range(classes)):
        raise ValueError(
            f"`labels` must hold each class from 0 to {classes - 1}. "
            f"Received: labels of the classes {np.unique(labels).tolist()}"
        )
    scales = slice(len(pretrained.kernels) - len(heads), None)  # A single head is the coarsest.
    relevance = pretrained.relevance[scales] / pretrained.relevance[scales].sum(0)
    kernels = [k * h for k, h in zip(pretrained.kernels[scales], relevance, strict=True)]
    _check_taps(features, kernels)
    logits = sum(f @ kernel for f, kernel in zip(features, kernels, strict=True))
    mixture, offset = _fit(logits, labels, classes)
    start = relevance.mean(1)
    for head, kernel, h in zip(heads, kernels, start, strict=True):
        head.kernel.assign(kernel @ mixture / h)
        head.bias.assign(offset)
    if len(heads) > 1:
        model.get_layer("relevance").set_relevance(np.tile(start[:, None], classes))


def _find_heads(model: keras.Model) -> list[tuple[Any, Any]]:
    """Return the pooling and the Dense layer of each head, the finest scale first."""
    names = [layer.name for layer in model.layers if layer.name.endswith("logits")]
    return [
        (model.get_layer(name.replace("logits", "pool")), model.get_layer(name))
        for name in sorted(names)
    ]


def _check_taps(features: Sequence[np.ndarray], kernels: list[np.ndarray]) -> None:
    found = [feature.shape[1] for feature in features]
    expected = [kernel.shape[0] for kernel in kernels]
    if found != expected:
        raise ValueError(
            f"The pretrained heads read {expected} channels. Received: taps with {found}"
        )


def _fit(logits: np.ndarray, labels: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the mixture `(K, C)` and the offset `(C,)` of a penalised logistic regression."""
    if classes == 1:
        return np.zeros((logits.shape[1], 1)), np.zeros(1)
    mean, deviation = logits.mean(0), logits.std(0) + 1e-6
    regression = LogisticRegression(C=_STRENGTH, class_weight="balanced", max_iter=1000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        regression.fit((logits - mean) / deviation, labels)
    coefficients, intercept = regression.coef_, regression.intercept_
    if classes == 2:  # One logit for two classes: half for, half against.
        coefficients = np.concatenate([-coefficients, coefficients]) / 2
        intercept = np.concatenate([-intercept, intercept]) / 2
    mixture = coefficients.T / deviation[:, None]
    return mixture, intercept - mean @ mixture
