"""Do the maps find the bones? Simulated radiographs with masks, after training on image labels.

    python -m benchmarks.method.map_quality [--starts xray withoutmasks/weights.npz none]

A start is `xray`, `none`, or the `.npz` file of a pretraining. What is finished stays in the work
folder, so that a run that was stopped goes on where it was.
"""

import argparse
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.common.bones import SETTINGS, SIDE, TESTS, TRAINING, make_tests, train
from benchmarks.common.networks import POOLING
from benchmarks.common.report import name_files, write_page
from benchmarks.common.work import open_work, remember

_TOLERANCE = 3.0  # Pixels.
_SIZES = ("scale1", "scale2", "scale3")  # Of bones, the smallest first.


def score(run, tests: Path, flips: bool) -> dict[str, dict[str, float]]:
    """Score the bone's maps on the test images with bones, and the classifier on all of them.

    Returned are the scores of the sum of all scales, and of the finest scale alone where there are
    several.
    """
    import keras
    from sklearn.metrics import roc_auc_score

    import mscam_tf

    manifest = mscam_tf.read_manifest(tests)
    images = np.stack([mscam_tf.read_image(path) for path in manifest.paths])[..., None]
    masks = np.stack([_read_mask(manifest, s) for s in manifest.samples])
    classes = np.array([sample.label for sample in manifest.samples])
    explainer = mscam_tf.build_explainer(run.load_model(), scale_maps=True)
    explainer = mscam_tf.average_flips(explainer) if flips else explainer
    outputs = explainer.predict(images, batch_size=16, verbose=0)
    bone = run.class_names.index("bone")
    auroc = roc_auc_score(classes != "none", outputs["probabilities"][:, bone])
    there = masks.any((1, 2))
    scales = [name for name in sorted(outputs) if name.startswith("scale")]
    found = {"sum": _score_maps(outputs["maps"][..., bone], masks, classes)}
    if len(scales) > 1:
        found["finest"] = _score_maps(outputs[scales[0]][..., bone], masks, classes)
    for values in found.values():
        values["auroc"] = float(auroc)
    for name in scales:
        maps = outputs[name][there][..., bone]
        found["sum"][f"ap_{name}"] = mscam_tf.pixel_average_precision(maps, masks[there])[0]
    keras.backend.clear_session()
    return found


def _score_maps(maps, masks, classes) -> dict[str, float]:
    import mscam_tf

    there = masks.any((1, 2))
    precision, prevalence = mscam_tf.pixel_average_precision(maps[there], masks[there])
    pairs = zip(maps, masks, strict=True)
    hits = np.array([mscam_tf.points_at(m, mask, _TOLERANCE) for m, mask in pairs])
    found = {"ap": precision, "prevalence": prevalence, "pointing": hits[there].mean()}
    for name in _SIZES:
        found[f"pointing_{name}"] = hits[there & (classes == name)].mean()
    found["random"] = np.mean([_chance(mask) for mask in masks[there]])
    return {name: float(value) for name, value in found.items()}


def _read_mask(manifest, sample) -> np.ndarray:
    from PIL import Image

    if not sample.mask:
        return np.zeros((SIDE, SIDE), bool)
    return np.asarray(Image.open(manifest.root / sample.mask)) > 0


def _chance(mask: np.ndarray) -> float:
    """Return how often a random pixel would hit."""
    from scipy.ndimage import distance_transform_edt

    return float((distance_transform_edt(~mask) <= _TOLERANCE).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", nargs="*", default=["xray", "none"])
    parser.add_argument("--models", nargs="*", default=["multiscale", "single"])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--flips", nargs="*", default=["xray"], help="starts scored with flips too")
    parser.add_argument("--work", type=Path, default=None)
    parser.add_argument("--page", default="map_quality", help="name of the page of results")
    arguments = parser.parse_args()
    from mscam_tf.models import parse_weights

    settings = {"side": SIDE, "training": TRAINING, "tests": TESTS, **SETTINGS}
    work = open_work("map_quality", arguments.work, **settings)
    tests = make_tests(work)
    rows = []
    for start in arguments.starts:
        for model in arguments.models:
            for seed in range(arguments.seeds):
                run = train(work, model, start, seed)
                for flips in (False, True) if start in arguments.flips else (False,):
                    path = run.folder / f"maps{'_flips' if flips else ''}.json"
                    found = remember(path, partial(score, run, tests, flips))
                    for shown, values in found.items():
                        name = f"{model}{', finest' * (shown == 'finest')}{', flips' * flips}"
                        rows.append([name, parse_weights(start).name, seed, *_describe(values)])
    write_page(
        arguments.page,
        "Do the maps find the bones?",
        f"DenseNet-121, trained with the image labels `bone` and `none` alone on {TRAINING} "
        f"simulated radiographs of {SIDE} x {SIDE} pixels ({SETTINGS['epochs']} epochs, "
        f"from the start named), then scored on {TESTS} others. The map is that of the class "
        "`bone`, over all its scales, or of the `finest` alone. Pixel average precision over all "
        "test images with bones, in multiples of the prevalence, and of the maps of each scale "
        "alone, the finest first; pointing game: how "
        f"often the brightest pixel is within {_TOLERANCE:g} pixels of a bone, over all and by "
        f"size class. `random` is how often a random pixel is. `flips` averages over each image's "
        f"four mirror images. {POOLING}",
        [
            "model",
            "start",
            "seed",
            "AUROC",
            "AP",
            "AP / prevalence",
            "AP of each scale",
            "pointing",
            "scale1",
            "scale2",
            "scale3",
            "random",
        ],
        rows,
        arguments=f"--starts {name_files(arguments.starts)} --models {' '.join(arguments.models)} "
        f"--seeds {arguments.seeds} --flips {' '.join(arguments.flips)} --page {arguments.page}",
    )


def _describe(found: dict[str, float]) -> list[str]:
    parts = [f"{found[name]:.3f}" for name in sorted(found) if name.startswith("ap_")]
    names = ("pointing", *(f"pointing_{name}" for name in _SIZES), "random")
    return [
        f"{found['auroc']:.3f}",
        f"{found['ap']:.3f}",
        f"{found['ap'] / found['prevalence']:.1f}",
        ", ".join(parts),
        *(f"{found[name]:.2f}" for name in names),
    ]


if __name__ == "__main__":
    main()
