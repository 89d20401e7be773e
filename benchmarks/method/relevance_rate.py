"""Does the relevance move? Short trainings with different rates and normalizations.

Finished trainings are kept in a CSV file, so that a run that was stopped goes on where it was.
"""

import argparse
from pathlib import Path

from benchmarks.common.report import write_page
from benchmarks.common.work import append_rows, read_rows

_SIDE, _IMAGES, _EPOCHS, _BATCH = 96, 240, 12, 16
_BALANCE = {"none": 1.0, "scale1": 1.0, "scale3": 1.0}
_CASES = [(kind, rate) for kind in ("penalty", "softmax") for rate in (1.0, 10.0, 50.0)]
_COLUMNS = ["normalization", "rate", "seed", "accuracy", "moved", "sum_low", "sum_high", "shares"]


def train(folder: Path, normalization: str, rate: float, seed: int) -> dict[str, object]:
    """Train once; say how far the relevance went from 1/B, and what each scale supplies."""
    import keras
    import numpy as np

    import mscam_tf
    from mscam_tf.simulation import Plan, SimulationConfig, write_radiographs

    data = folder / f"data{seed}"
    if not data.exists():
        config = SimulationConfig(image_size=(_SIDE, _SIDE), difficulty=0.5)
        write_radiographs(data, Plan(_IMAGES, config, balance=_BALANCE, seed=seed))
    manifest = mscam_tf.split_manifest(mscam_tf.read_manifest(data), seed)
    keras.utils.set_random_seed(seed)
    relevance = mscam_tf.RelevanceCombine(normalization, rate=rate, name="relevance")
    model = mscam_tf.build_multiscale_classifier(3, (_SIDE, _SIDE), relevance=relevance)
    train, rest = (_make_dataset(manifest, name, seed) for name in ("train", "test"))
    steps = len(train) * _EPOCHS
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps, alpha=0.01, warmup_target=3e-4, warmup_steps=steps // 10
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.AdamW(schedule), loss, metrics=["accuracy"], jit_compile=False)
    model.fit(train, epochs=_EPOCHS, verbose=2)
    h = relevance.get_relevance()
    outputs = mscam_tf.build_explainer(model).predict(rest, verbose=0)
    variance = outputs["contributions"].var(0).sum(-1)
    return {
        "normalization": normalization,
        "rate": rate,
        "seed": seed,
        "accuracy": round(float(model.evaluate(rest, verbose=0)[1]), 3),
        "moved": round(float(np.abs(h - 1 / 3).max()), 3),
        "sum_low": round(float(h.sum(0).min()), 3),
        "sum_high": round(float(h.sum(0).max()), 3),
        "shares": " ".join(f"{share:.2f}" for share in variance / variance.sum()),
    }


def _make_dataset(manifest, split: str, seed: int):
    import mscam_tf

    part = manifest.select(split)
    labels = [manifest.class_names.index(sample.label) for sample in part.samples]
    size = (_SIDE, _SIDE)
    return mscam_tf.make_dataset(
        part.paths, labels, size, _BATCH, training=split == "train", seed=seed
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("runs/relevance_rate"))
    parser.add_argument("--seeds", type=int, default=1)
    arguments = parser.parse_args()
    folder = arguments.work
    table = folder / "finished.csv"
    done = {(r["normalization"], float(r["rate"]), int(r["seed"])) for r in read_rows(table)}
    cases = [(*case, seed) for seed in range(arguments.seeds) for case in _CASES]
    for case in cases:
        if case in done:
            continue
        append_rows(table, _COLUMNS, [train(folder, *case).values()])
    write_page(
        "relevance_rate",
        "Does the relevance move?",
        f"DenseNet-121 from scratch on {_IMAGES} simulated patches of {_SIDE} x {_SIDE} pixels "
        f"(three classes, 70 % for training), {_EPOCHS} epochs, AdamW with a peak rate of 3e-4. "
        "`rate` is the learning rate of the relevance relative to the optimizer's. "
        "`moved` is the largest distance of any `h` from 1/3 at the end; `sum` the range over the "
        "classes of `sum_b h`; `shares` how much of the variance of the logits over the test "
        "images each scale supplies, the finest first.",
        _COLUMNS,
        [[row[name] for name in _COLUMNS] for row in read_rows(table)],
    )


if __name__ == "__main__":
    main()
