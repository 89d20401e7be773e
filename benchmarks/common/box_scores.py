"""Scores of the maps of a run against boxes: what is found, and how exactly.

Both the map of any object, and the sharp map that is made of it, are scored.
"""

import numpy as np
from scipy.special import logsumexp
from sklearn.metrics import roc_auc_score

import mscam_tf
from benchmarks.common.films import Patches, read_patches
from mscam_tf.data.manifests import NO_OBJECT
from mscam_tf.metrics import score_marks, sharpen_maps

_TOLERANCE = 3.0  # Pixels.


def score(run, tests: mscam_tf.Manifest) -> dict[str, dict]:
    """Score the map of any object, and the sharp map, with what each says of whole images."""
    patches = read_patches(tests)
    explainer = mscam_tf.build_explainer(run.load_model(), map_size=patches.images.shape[1:])
    outputs = explainer.predict(patches.images[..., None], batch_size=16, verbose=0)
    objects = np.array(run.class_names) != NO_OBJECT
    logits, maps = (find_odds(outputs[name], objects) for name in ("logits", "maps"))
    sharp = np.stack([sharpen_maps(*pair) for pair in zip(maps, patches.images, strict=True)])
    labels = np.array([sample.label != NO_OBJECT for sample in tests.samples])
    kinds = {"sum": (maps, logits), "sharp": (sharp, sharp.max((1, 2)))}
    return {kind: score_maps(*own, patches, labels) for kind, own in kinds.items()}


def find_odds(values: np.ndarray, objects: np.ndarray) -> np.ndarray:
    """Return the log-odds of any object, of logits or maps `(..., C)`; `objects` are booleans."""
    return logsumexp(values[..., objects], axis=-1) - logsumexp(values[..., ~objects], axis=-1)


def score_maps(maps: np.ndarray, scores: np.ndarray, patches: Patches, labels: np.ndarray) -> dict:
    """Say which boxes the maps of the images find, and how well the scores rank these."""
    marks = score_marks(maps, patches.boxes, _TOLERANCE)
    there = patches.masks.any((1, 2))
    shown, masks = maps[there], patches.masks[there]
    precision, prevalence = mscam_tf.pixel_average_precision(shown, masks)
    pairs = zip(shown, masks, strict=True)
    hits = [mscam_tf.points_at(*pair, _TOLERANCE) for pair in pairs]
    sides = [float(np.sqrt((c[2] - c[0]) * (c[3] - c[1]))) for own in patches.boxes for c in own]
    return {
        "found": (marks.objects > marks.find_threshold(1.0)).tolist(),
        "sides": sides,
        "pointing": float(np.mean(hits)),
        "ap": precision / prevalence,
        "auroc": float(roc_auc_score(labels, scores)) if 0 < labels.mean() < 1 else None,
    }
