"""What does each part contribute? Scales, taps, the kind of relevance and its penalty, unit norms.

    python -m benchmarks.ablation [--parts scales relevance] [--seeds 3]

Trained on simulated radiographs, all on the same splits, and scored on fresh ones. What is finished
stays in the work folder, so that a run that was stopped goes on where it was.
"""

import argparse
import shutil
from pathlib import Path

import numpy as np

from benchmarks.learners import PRECISION, locate_work
from benchmarks.map_quality import make_data
from benchmarks.report import remember, write_page

_SIDE, _IMAGES, _FRESH, _EPOCHS = 128, 371, 1000, 6
_RELU = ("pool2_relu", "pool3_relu", "pool4_relu", "relu")
_RAW = ("conv3_block12_concat", "conv4_block24_concat", "conv5_block16_concat")
# Heads cannot start as pretrained ones with other taps: here they never do, for a fair comparison.
SCALES = {
    "1 scale": {"model": "single", "taps": _RELU[3:]},
    "2 scales": {"taps": _RELU[2:]},
    "3 scales": {"taps": _RELU[1:]},
    "4 scales": {"taps": _RELU},
    "3 scales, raw taps": {"taps": _RAW},
    "3 scales, heads of unit norm": {"taps": _RELU[1:], "unit_norm_heads": True},
}
RELEVANCE = {
    f"{penalty}, lambda {weight:g}": {"penalty": penalty, "penalty_weight": weight}
    for penalty in ("squared", "absolute", "signed")
    for weight in (0.01, 1.0)
} | {"softmax": {"normalization": "softmax"}}
PARTS = {"scales": SCALES, "relevance": RELEVANCE}


def run(folder: Path, name: str, settings: dict, seed: int) -> dict:
    """Train and score one variant, unless that was done."""
    import mscam_tf

    place = folder / name.replace(" ", "_").replace(",", "") / f"seed{seed}"

    def measure():
        shutil.rmtree(place, ignore_errors=True)
        data = make_data(folder / "data", _IMAGES, seed=2 * 10**6)
        manifest = mscam_tf.split_manifest(mscam_tf.read_manifest(data), seed)
        config = mscam_tf.TrainConfig(
            image_size=(_SIDE, _SIDE),
            epochs=_EPOCHS,
            patience=_EPOCHS,
            precision=PRECISION,
            seed=seed,
            **settings,
        )
        trained = mscam_tf.train(manifest, place, config)
        shutil.rmtree(place / "checkpoints")
        return score(trained, make_data(folder / "fresh", _FRESH, seed=2 * 10**6 + 1))

    return remember(place / "found.json", measure)


def score(run, fresh: Path) -> dict:
    """Score the classes and the maps of the true class on fresh images; keep the relevance."""
    import keras
    from PIL import Image

    import mscam_tf

    manifest = mscam_tf.read_manifest(fresh)
    images = np.stack([mscam_tf.read_image(path) for path in manifest.paths])[..., None]
    labels = np.array([run.class_names.index(sample.label) for sample in manifest.samples])
    model = run.load_model()
    outputs = mscam_tf.build_explainer(model, map_size=(_SIDE, _SIDE)).predict(
        images, batch_size=16, verbose=0
    )
    said, there = outputs["logits"].argmax(-1), labels != run.class_names.index("none")
    rows = np.flatnonzero(there)
    masks = np.stack(
        [np.asarray(Image.open(fresh / manifest.samples[row].mask)) > 0 for row in rows]
    )
    maps = outputs["maps"][rows, ..., labels[rows]]
    precision, prevalence = mscam_tf.pixel_average_precision(maps, masks)
    multiscale = any(layer.name == "relevance" for layer in model.layers)
    relevance = model.get_layer("relevance").get_relevance() if multiscale else np.ones((1, 4))
    parts = outputs["contributions"] - outputs["contributions"].mean(0)
    covariance = (parts * parts.sum(1, keepdims=True)).mean(0)  # Of each scale with the logit.
    keras.backend.clear_session()
    return {
        "accuracy": float(np.mean(said == labels)),
        "two": float(np.mean((said != run.class_names.index("none")) == there)),
        "ap": precision / prevalence,
        "classes": run.class_names,
        "relevance": relevance.tolist(),
        "share": (covariance / covariance.sum(0)).tolist(),
    }


def describe(name: str, found: list[dict], reference: list[dict]) -> list[str]:
    relevance = np.array([one["relevance"] for one in found])
    total = relevance.sum(1)
    pairs = zip(found, reference, strict=True)
    return [
        name,
        _mean([one["accuracy"] for one in found]),
        _mean([one["accuracy"] - other["accuracy"] for one, other in pairs], "+"),
        _mean([one["two"] for one in found]),
        f"{np.mean([one['ap'] for one in found]):.1f}",
        f"{total.mean():.2f} ({total.min():.2f} to {total.max():.2f})",
    ]


def describe_scales(name: str, found: list[dict]) -> list[list[str]]:
    """Say for each class which relevance each scale has, and how much of the logit's variance."""
    rows = []
    for index, label in enumerate(found[0]["classes"]):
        cells = [
            ", ".join(
                f"{value:.2f}" for value in np.mean([one[what] for one in found], 0)[:, index]
            )
            for what in ("relevance", "share")
        ]
        rows.append([name, label, *cells])
    return rows


def _mean(values: list[float], sign: str = "") -> str:
    deviation = np.std(values, ddof=1) if len(values) > 1 else 0
    return f"{np.mean(values):{sign}.3f} ± {deviation:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="*", default=list(PARTS), choices=list(PARTS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--work", type=Path, default=None)
    arguments = parser.parse_args()
    work = arguments.work or locate_work("ablation", PRECISION, _SIDE, _IMAGES, _EPOCHS)
    for part in arguments.parts:
        variants = PARTS[part]
        found = {name: [] for name in variants}
        for seed in range(arguments.seeds):
            for name, settings in variants.items():
                found[name].append(run(work, name, settings, seed))
                print(part, name, seed, found[name][-1], flush=True)
        reference = found["3 scales" if part == "scales" else "squared, lambda 1"]
        scales = [row for name, values in found.items() for row in describe_scales(name, values)]
        table = "\n".join("| " + " | ".join(row) + " |" for row in scales)
        write_page(
            f"ablation_{part}",
            f"What each part contributes: {part}",
            f"DenseNet-121 from the embedded weights, {_EPOCHS} epochs on the training split of "
            f"{_IMAGES} simulated radiographs of {_SIDE} x {_SIDE} pixels in four classes, in "
            f"{PRECISION}, scored "
            f"on {_FRESH} fresh ones; {arguments.seeds} seeds of split and order, mean and "
            "standard deviation. `difference` is paired, against the default. AP is the pixel "
            "average precision of the true class's map in multiples of the prevalence; `sum of h` "
            "is the mean, least and largest over classes and seeds."
            + (
                " Heads start at random, on a frozen backbone for three epochs: with other taps "
                "they cannot start as pretrained ones."
                if part == "scales"
                else ""
            ),
            ["variant", "accuracy", "difference", "two classes", "AP", "sum of h"],
            [describe(name, values, reference) for name, values in found.items()],
            module="ablation",
            arguments=f"--parts {part} --seeds {arguments.seeds}",
            more="Relevance of each scale, finest first, and which share of the variance of the "
            "class's logit over the images is due to it (covariance with the logit):\n\n"
            "| variant | class | relevance | share of variance |\n| --- | --- | --- | --- |\n"
            + table,
        )


if __name__ == "__main__":
    main()
