"""Pool maps softly that were trained with the mean, and put the zero of each logit in its place."""

import keras
import numpy as np
from scipy.optimize import minimize

from mscam_tf.models import build_multiscale_classifier, find_heads, find_relevance, read_relevance
from mscam_tf.pretraining.config import PretrainConfig


def pool_softly(
    classifier: keras.Model, images: np.ndarray, targets: np.ndarray, config: PretrainConfig
) -> keras.Model:
    r"""Return a classifier with the same maps, pooled by `SoftPool`, with new biases.

    Soft pooling lifts all logits, more so where nothing is. For each target a logistic regression
    `a t + o` of the pooled logit `t` is fitted, and `o / a` is added to the bias, so that a logit
    of zero is even odds on such images; the maps stay as they are.

    Args:
        classifier: From `build_multiscale_classifier` with `pooling="mean"`.
        images: `(n, H, W, channels)`.
        targets: Which targets occur in each, `(n, C)` of 0 and 1.
        config: Settings that the classifier was built with.
    """
    soft = build_multiscale_classifier(
        targets.shape[1],
        config.image_size,
        backbone=config.backbone,
        scales=config.scales,
        views=config.views,
        pooling="soft",
    )
    soft.get_layer("backbone").set_weights(classifier.get_layer("backbone").get_weights())
    relevance = read_relevance(classifier, targets.shape[1])
    if (mixing := find_relevance(soft)) is not None:
        mixing.set_relevance(relevance / relevance.sum(0))
    heads = find_heads(soft).heads
    for head, old in zip(heads, find_heads(classifier).heads, strict=True):
        head.dense.set_weights(old.dense.get_weights())
    logits = soft.predict(images, verbose=0)
    offsets = [fit_zero(t, y) for t, y in zip(logits.T, targets.T, strict=True)]
    for head in heads:  # The relevance adds up to one: so does what it makes of the offsets.
        head.dense.bias.assign(keras.ops.convert_to_numpy(head.dense.bias) + np.array(offsets))
    return soft


def fit_zero(logits: np.ndarray, targets: np.ndarray) -> float:
    """Return what to add to logits `(n,)` so that zero is even odds of the target.

    Zero where the target is in all images or in none, or is told the wrong way round. The place of
    even odds is sought among the logits: of a target that they hardly tell, it would lie anywhere.

    Examples:
        >>> import numpy as np
        >>> round(fit_zero(np.array([1.0, 2.0, 4.0, 5.0]), np.array([0, 0, 1, 1])), 1)
        -3.0
    """
    if targets.min() == targets.max():
        return 0.0
    signs = 2.0 * targets - 1

    def measure(parameters: np.ndarray) -> float:
        gain, offset = parameters
        loss = np.logaddexp(0, -signs * (gain * logits + offset)).mean()
        return float(loss + 1e-3 * gain**2)  # Where the classes are apart, the gain has no end.

    gain, offset = minimize(measure, [1.0, 0.0]).x
    if not gain > 0:  # Nor is NaN.
        return 0.0
    with np.errstate(over="ignore"):
        return -float(np.clip(-offset / gain, logits.min(), logits.max()))
