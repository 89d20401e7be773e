"""How well a classifier and its maps do on scenes that no training sees."""

from collections.abc import Sequence

import keras
import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from mscam_tf.simulation import TARGETS, SceneBatch

PROBE_SEED = 10**6  # That no training seed reaches.


def probe(explainer: keras.Model, scenes: Sequence[SceneBatch]) -> dict[str, float]:
    """Score an explainer with native maps: AUROC of each target, average precision of bone cells.

    Args:
        explainer: From `build_explainer(classifier, "native")`.
        scenes: Batches of scenes.

    Returns:
        `auroc_TARGET` for each target that occurs, and `ap_bone` with its `prevalence_bone` if
        there are cells with bone.
    """
    outputs = [explainer.predict_on_batch(batch.images) for batch in scenes]
    logits = np.concatenate([output["logits"] for output in outputs])
    maps = np.concatenate([output["maps"][..., 0] for output in outputs])
    targets = np.concatenate([batch.targets for batch in scenes])
    cells = np.concatenate([batch.coverage[..., 0] for batch in scenes]) > 0.1
    scores = {
        f"auroc_{name}": float(roc_auc_score(targets[:, k], logits[:, k]))
        for k, name in enumerate(TARGETS)
        if 0 < targets[:, k].sum() < len(targets)
    }
    with_bone = targets[:, 0] > 0
    if not cells[with_bone].any():
        return scores
    precision = average_precision_score(cells[with_bone].ravel(), maps[with_bone].ravel())
    prevalence = float(cells[with_bone].mean())
    return scores | {"ap_bone": float(precision), "prevalence_bone": prevalence}
