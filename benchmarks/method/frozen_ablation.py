"""What does each part contribute, given time? Heads and relevance on a frozen backbone.

    python -m benchmarks.method.frozen_ablation [--seeds 5]

The images of Table 1 (`mscam reproduce`) go through the embedded backbone once. Heads and relevance
alone are then trained on the means of its taps, far longer than a whole network could be: it is
quick, and the relevance has time to go where the losses pull it.
"""

import argparse
from pathlib import Path

import numpy as np

from benchmarks.common.data import make_data
from benchmarks.common.networks import RAW_TAPS, RELU_TAPS
from benchmarks.common.report import describe_difference, describe_mean, make_table, write_page
from benchmarks.common.work import open_work, remember

_SIDE, _IMAGES, _FRESH = 256, 371, 2000
_STEPS, _LEARNING_RATE, _ROUNDS = 2000, 3e-3, 20
SCALES = {
    "1 scale": {"taps": RELU_TAPS[3:]},
    "2 scales": {"taps": RELU_TAPS[2:]},
    "3 scales": {},
    "4 scales": {"taps": RELU_TAPS},
    "3 scales, raw taps": {"taps": RAW_TAPS},
    "3 scales, heads of unit norm": {"unit_norm": True},
}
RELEVANCE = {
    f"{penalty}, lambda {weight:g}": {"penalty": penalty, "penalty_weight": weight}
    for penalty in ("squared", "absolute", "signed")
    for weight in (0.01, 0.1, 1.0, 10.0)
} | {
    "no penalty": {"penalty_weight": 0.0},
    "softmax": {"normalization": "softmax"},
    "softmax, heads of unit norm": {"normalization": "softmax", "unit_norm": True},
}
PARTS = {"scales": SCALES, "relevance": RELEVANCE}


def read_features(work: Path) -> dict[str, np.ndarray]:
    """Return labels, names, and the mean of every tap over each image, of both sets."""
    path = work / "features.npz"
    if not path.exists():
        from mscam_tf.files import write_whole

        found = {}
        for name, images, seed in _list_sets():
            found |= {f"{name}/{k}": v for k, v in _measure(work / name, images, seed).items()}
        with write_whole(path) as partial, partial.open("wb") as file:
            np.savez(file, **found)
    with np.load(path) as file:
        return dict(file)


def _list_sets():
    from mscam_tf.experiments import DATA_SEED, FRESH_SEED

    return ("data", _IMAGES, DATA_SEED), ("fresh", _FRESH, FRESH_SEED)


def _measure(folder: Path, images: int, seed: int) -> dict[str, np.ndarray]:
    import keras

    import mscam_tf
    from mscam_tf.data import make_dataset

    manifest = mscam_tf.read_manifest(make_data(folder, images, seed, _SIDE))
    labels = np.array([manifest.class_names.index(s.label) for s in manifest.samples])
    taps = (*RELU_TAPS, *RAW_TAPS)
    model = mscam_tf.build_multiscale_classifier(4, weights="xray", taps=taps)
    pools = [model.get_layer(f"scale{number}_pool").output for number in range(1, len(taps) + 1)]
    dataset = make_dataset(manifest.paths, labels, (_SIDE, _SIDE), 16, cache_bytes=0)
    features = keras.Model(model.input, pools).predict(dataset, verbose=1)
    return {"labels": labels, "classes": np.array(manifest.class_names)} | dict(
        zip(taps, features, strict=True)
    )


def build(widths, classes: int, unit_norm: bool, **relevance):
    import keras

    import mscam_tf

    constraint = keras.constraints.UnitNorm(axis=0) if unit_norm else None
    inputs = [keras.Input((width,)) for width in widths]
    logits = [keras.layers.Dense(classes, kernel_constraint=constraint)(x) for x in inputs]
    if len(logits) == 1:
        return keras.Model(inputs, logits[0])
    combine = mscam_tf.RelevanceCombine(name="relevance", **relevance)
    return keras.Model(inputs, combine(logits))


def run(features, manifest, seed: int, *, taps=RELU_TAPS[1:], unit_norm=False, **relevance) -> dict:
    """Train on the split of a seed, keep the best weights on validation, and score fresh images."""
    import keras
    import tensorflow as tf

    import mscam_tf
    from mscam_tf.models import read_relevance
    from mscam_tf.training import compile_classifier, make_schedule

    split = np.array([s.split for s in mscam_tf.split_manifest(manifest, seed).samples])
    labels = features["data/labels"]
    keras.utils.set_random_seed(seed)
    widths = [features[f"data/{tap}"].shape[1] for tap in taps]
    model = build(widths, len(features["data/classes"]), unit_norm, **relevance)
    compile_classifier(model, make_schedule(_LEARNING_RATE, _STEPS))

    def choose(part):
        rows = split == part
        return tuple(features[f"data/{tap}"][rows] for tap in taps), labels[rows]

    stop = keras.callbacks.EarlyStopping("val_loss", patience=_ROUNDS, restore_best_weights=True)
    model.fit(
        tf.data.Dataset.from_tensors(choose("train")).cache().repeat(),
        validation_data=tf.data.Dataset.from_tensors(choose("validation")),
        steps_per_epoch=_STEPS // _ROUNDS,
        epochs=_ROUNDS,
        callbacks=[stop],
        shuffle=False,
        verbose=0,
    )
    learned = read_relevance(model, len(features["data/classes"]))
    logits = model.predict([features[f"fresh/{tap}"] for tap in taps], batch_size=500, verbose=0)
    found = score(logits, features) | {"relevance": learned.tolist()}
    keras.backend.clear_session()
    return found


def score(logits, features) -> dict[str, float]:
    """Score fresh images as Table 1 does: own classes, and any object against none."""
    from scipy.special import softmax

    labels, none = features["fresh/labels"], list(features["fresh/classes"]).index("none")
    objects = 1 - softmax(logits, -1)[:, none]
    return {
        "accuracy": float(np.mean(logits.argmax(-1) == labels)),
        "two": float(np.mean((objects > 0.5) == (labels != none))),
    }


def describe(name: str, found: list[dict], reference: list[dict]) -> list[str]:
    accuracy = np.array([one["accuracy"] for one in found])
    differences = accuracy - [one["accuracy"] for one in reference]
    relevance = np.mean([one["relevance"] for one in found], 0)
    scales = np.arange(1, len(relevance) + 1)
    total = relevance.sum(0)
    middle = (scales @ relevance) / np.maximum(total, 1e-9)
    return [
        name,
        describe_mean(accuracy),
        "" if found is reference else describe_difference(differences),
        f"{np.mean([one['two'] for one in found]):.3f}",
        *(" / ".join(f"{v:.2f}" for v in x) if len(scales) > 1 else "" for x in (total, middle)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--work", type=Path, default=None)
    arguments = parser.parse_args()
    import mscam_tf

    work = open_work(
        "frozen_ablation",
        arguments.work,
        side=_SIDE,
        images=_IMAGES,
        fresh=_FRESH,
        steps=_STEPS,
        learning_rate=_LEARNING_RATE,
    )
    features = read_features(work)
    manifest, classes = mscam_tf.read_manifest(work / "data"), list(features["data/classes"])
    tables = {}
    for part, variants in PARTS.items():
        found = {}
        for name, options in variants.items():
            place = work / part / name.replace(" ", "_").replace(",", "")
            found[name] = [
                remember(
                    place / f"seed{seed}.json",
                    lambda seed=seed, options=options: run(features, manifest, seed, **options),
                )
                for seed in range(arguments.seeds)
            ]
            print(part, name, found[name][-1], flush=True)
        reference = found["3 scales" if part == "scales" else "squared, lambda 1"]
        tables[part] = [describe(n, v, reference) for n, v in found.items()]
    header = ["variant", "own classes", "difference", "two classes", "sum of h", "mean scale"]
    write_page(
        "frozen_ablation",
        "What each part contributes, on a frozen backbone",
        f"The {_IMAGES} simulated radiographs of Table 1, {_SIDE} x {_SIDE} pixels in four "
        "classes, go through the embedded DenseNet-121 once; heads and relevance alone are "
        f"trained, on the mean of each tap, for {_STEPS} steps of all training images (AdamW, "
        f"{_LEARNING_RATE:g}), and those with the lowest validation loss are scored on Table 1's "
        f"{_FRESH} fresh images. {arguments.seeds} seeds of split and initial heads, mean and "
        "standard deviation; `difference` is paired by seed, against the default, with its 95 % "
        "interval (Student's t). `sum of h` is `sum_b h_b` of each class "
        f"({', '.join(classes)}), and `mean scale` is `sum_b b h_b / sum_b h_b`, 1 the finest. The "
        "backbone was pretrained with the taps of `4 scales`.",
        header,
        tables["scales"],
        arguments=f"--seeds {arguments.seeds}",
        more="Kinds of relevance and of its penalty, all with 3 scales:\n\n"
        + make_table(header, tables["relevance"]),
    )


if __name__ == "__main__":
    main()
