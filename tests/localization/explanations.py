"""Explanations for tests: of a tiny model, and by hand."""

from pathlib import Path

import numpy as np

import mscam_tf
from mscam_tf.runs import Explanation, KerasEngine
from tests.conftest import make_backbone, randomize

NAMES = ["none", "bone", "void"]


def explain_noise(size=(32, 48), pooling="mean", normalization="penalty", flips=False):
    """Explain an image of noise by a tiny model of three scales, with any relevance."""
    layer = mscam_tf.RelevanceCombine(normalization)
    model = mscam_tf.build_multiscale_classifier(
        3, None, backbone=make_backbone(), pooling=pooling, relevance=layer
    )
    randomize(model, seed=4)
    relevance = np.random.default_rng(1).uniform(0.05, 0.95, (3, 3))
    if normalization == "softmax":
        relevance /= relevance.sum(0)
    layer.set_relevance(relevance)
    engine = KerasEngine(model, "softmax", flips=flips)
    image = np.random.default_rng(2).random((1, *size, 1), np.float32)
    outputs = {name: values[0] for name, values in engine.explain(image).items()}
    return make_explanation(image[0, ..., 0], outputs, engine.relevance)


def make_explanation(image, outputs, relevance):
    scales = range(1, len(relevance) + 1)
    return Explanation(
        path=Path("image.png"),
        image=image,
        logits=outputs["logits"],
        probabilities=outputs["probabilities"],
        contributions=outputs["contributions"],
        relevance=relevance,
        maps=outputs["maps"],
        scale_maps=np.stack([outputs[f"scale{b}_maps"] * relevance[b - 1] for b in scales]),
        class_names=NAMES,
        cell_contributions=tuple(outputs[f"scale{b}_contributions"] for b in scales),
    )


def explain_by_hand():
    """Explain an image of 4 x 8 pixels by two scales, of cells of 2 and of 4 pixels."""
    fine, coarse = np.zeros((2, 4, 3)), np.zeros((1, 2, 3))
    fine[..., 1] = [[8, 1, 0, 0], [2, 0, 0, -3]]
    coarse[..., 1] = [[4, 16]]
    maps = np.zeros((4, 8, 3))
    maps[:2, :3, 1] = 5  # Covers the first cell, half of the second, and 6 of 16 pixels.
    maps[2:, 7, 1] = 7  # Half of the last cell, and 2 of 16 pixels.
    contributions = np.stack([fine.sum((0, 1)), coarse.sum((0, 1))])
    return Explanation(
        path=Path("image.png"),
        image=np.zeros((4, 8)),
        logits=contributions.sum(0) + np.array([0, -2, 1]),
        probabilities=np.array([0, 1, 0]),
        contributions=contributions,
        relevance=np.ones((2, 3)),
        maps=maps,
        scale_maps=np.stack([maps, 0 * maps]),
        class_names=NAMES,
        cell_contributions=(fine, coarse),
    )
