"""Score a run on fresh radiographs."""

from pathlib import Path

import numpy as np


def score(run, fresh: Path) -> dict:
    """Score the classes and the maps of the true class on fresh images; keep the relevance."""
    import keras
    from PIL import Image

    import mscam_tf
    from mscam_tf.metrics import center_maps
    from mscam_tf.models import read_relevance

    manifest = mscam_tf.read_manifest(fresh)
    images = np.stack([mscam_tf.read_image(path) for path in manifest.paths])[..., None]
    labels = np.array([run.class_names.index(sample.label) for sample in manifest.samples])
    model = run.load_model()
    outputs = mscam_tf.build_explainer(model, map_size=images.shape[1:3]).predict(
        images, batch_size=16, verbose=0
    )
    none = run.class_names.index("none")
    said, there = outputs["logits"].argmax(-1), labels != none
    rows = np.flatnonzero(there)
    masks = np.stack(
        [np.asarray(Image.open(fresh / manifest.samples[row].mask)) > 0 for row in rows]
    )
    # Relative to the mean over the classes: what random heads add to all of them says nothing.
    maps = np.stack([center_maps(outputs["maps"][row])[..., labels[row]] for row in rows])
    precision, prevalence = mscam_tf.pixel_average_precision(maps, masks)
    relevance = read_relevance(model, len(run.class_names))
    parts = outputs["contributions"] - outputs["contributions"].mean(0)
    covariance = (parts * parts.sum(1, keepdims=True)).mean(0)  # Of each scale with the logit.
    keras.backend.clear_session()
    return {
        "accuracy": float(np.mean(said == labels)),
        "two": float(np.mean((outputs["probabilities"][:, none] < 0.5) == there)),
        "ap": precision / prevalence,
        "classes": run.class_names,
        "relevance": relevance.tolist(),
        "share": (covariance / covariance.sum(0)).tolist(),
    }
