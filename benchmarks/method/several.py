"""Several findings in one image: how well each is told, and where its map points.

    python -m benchmarks.method.several [--starts xray none] [--seeds 3]

What is finished stays in the work folder, so that a run that was stopped goes on where it was.
"""

import argparse
import shutil
from pathlib import Path

import numpy as np

from benchmarks.common.networks import POOLING, PRECISION
from benchmarks.common.report import write_page
from benchmarks.common.work import open_work, remember

_SIDE, _TRAINING, _TESTS, _EPOCHS = 128, 400, 600, 6
_SCRATCH = 2  # From scratch a training takes so many times as many epochs.


def make_data(folder: Path, images: int, seed: int) -> Path:
    from mscam_tf.simulation import SimulationConfig, write_findings

    if not (folder / "manifest.csv").exists():
        write_findings(folder, images, SimulationConfig(image_size=(_SIDE, _SIDE)), seed)
    return folder


def run(folder: Path, model: str, start: str, seed: int) -> dict:
    import mscam_tf

    place = folder / f"{model}_{start}" / f"seed{seed}"

    def measure():
        shutil.rmtree(place, ignore_errors=True)
        manifest = mscam_tf.read_manifest(make_data(folder / "training", _TRAINING, 4 * 10**6))
        scratch = start == "none"
        config = mscam_tf.TrainConfig(
            model=model,
            weights=None if scratch else start,
            map_weight=0,  # Labels alone.
            several=True,
            image_size=(_SIDE, _SIDE),
            epochs=_EPOCHS * (_SCRATCH if scratch else 1),
            precision=PRECISION,
            seed=seed,
        )
        trained = mscam_tf.train(manifest, place, config)
        shutil.rmtree(place / "checkpoints")
        return score(trained, make_data(folder / "tests", _TESTS, 4 * 10**6 + 1))

    return remember(place / "found.json", measure)


def score(run, tests: Path) -> dict:
    """Score each finding, and its map on the images that have it."""
    import keras
    from PIL import Image
    from sklearn.metrics import roc_auc_score

    import mscam_tf
    from mscam_tf.data.manifests import encode_findings

    manifest = mscam_tf.read_manifest(tests)
    images = np.stack([mscam_tf.read_image(path) for path in manifest.paths])[..., None]
    labels = encode_findings(manifest, run.class_names)
    explainer = mscam_tf.build_explainer(run.load_model(), activation="sigmoid")
    outputs = explainer.predict(images, batch_size=16, verbose=0)
    found = {}
    for index, name in enumerate(run.class_names):
        rows = np.flatnonzero(labels[:, index])
        names = [Path(manifest.samples[row].path).name for row in rows]
        masks = np.stack([np.asarray(Image.open(tests / "masks" / name / n)) > 0 for n in names])
        maps = outputs["maps"][rows, ..., index]
        precision, prevalence = mscam_tf.pixel_average_precision(maps, masks)
        hits = [mscam_tf.points_at(m, mask) for m, mask in zip(maps, masks, strict=True)]
        found[name] = {
            "auroc": float(roc_auc_score(labels[:, index], outputs["logits"][:, index])),
            "ap": precision / prevalence,
            "pointing": float(np.mean(hits)),
        }
    keras.backend.clear_session()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", nargs="*", default=["xray", "none"])
    parser.add_argument("--models", nargs="*", default=["multiscale", "single"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--work", type=Path, default=None)
    arguments = parser.parse_args()
    work = open_work(
        "several",
        arguments.work,
        precision=PRECISION,
        side=_SIDE,
        training=_TRAINING,
        tests=_TESTS,
        epochs=_EPOCHS,
        scratch=_SCRATCH,
    )
    rows = []
    for start in arguments.starts:
        for model in arguments.models:
            found = [run(work, model, start, seed) for seed in range(arguments.seeds)]
            print(start, model, found, flush=True)
            cells = [
                f"{np.mean([one[name][what] for one in found]):.{digits}f}"
                for name in found[0]
                for what, digits in (("auroc", 3), ("ap", 1), ("pointing", 2))
            ]
            rows.append([model, start, *cells])
    names, columns = ("bone", "metal", "void"), ("AUROC", "AP", "pointing")
    write_page(
        "several",
        "Several findings in one image",
        f"Simulated patches of fillets, {_SIDE} x {_SIDE} pixels, with bones, metal and voids, "
        "each in half of the images and independent of the others. DenseNet-121, trained on the "
        f"image labels of {_TRAINING} (split 7:1:2) for {_EPOCHS} epochs, {_SCRATCH} times as many "
        f"from scratch, in {PRECISION}, with a sigmoid for each finding; scored on "
        f"{_TESTS} others, mean of {arguments.seeds} seeds. AP: pixel average precision of the "
        "finding's map on the images "
        "that have it, in multiples of the prevalence; pointing: how often the map's brightest "
        f"pixel is within 3 pixels of it. {POOLING}",
        ["model", "start", *(f"{name}: {what}" for name in names for what in columns)],
        rows,
        arguments=f"--starts {' '.join(arguments.starts)} --models {' '.join(arguments.models)} "
        f"--seeds {arguments.seeds}",
    )


if __name__ == "__main__":
    main()
