"""What are the pretrained weights worth? Real crops, five folds, five seeds, several starts.

    python -m benchmarks.transfer.transfer FOLDER

FOLDER holds real crops in the folders `none` and `bone`, such as the fish bones of GDXray. Each
prediction is kept in a CSV file, so that a run that was stopped goes on where it was.
"""

import argparse
import shlex
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from benchmarks.common.baselines import SupportVectors, describe_bands, describe_gradients
from benchmarks.common.data import read_crops
from benchmarks.common.networks import POOLING, TRAINING, Network, ZeroShot
from benchmarks.common.report import write_page
from benchmarks.common.work import append_rows, open_work, read_rows

FOLDS = 5
METHODS = {
    "zero-shot": lambda: ZeroShot(),
    "HOG": lambda: SupportVectors(describe_gradients, strength=10),
    "DoG": lambda: SupportVectors(describe_bands),
    "xray heads, multi": lambda: Network(steps=0, learning_rate=0),
    "xray heads, single": lambda: Network("single", steps=0, learning_rate=0),
    "xray, multi": lambda: Network(**TRAINING),
    "xray, single": lambda: Network("single", **TRAINING),
    "none, multi": lambda: Network(weights=None, **TRAINING),
    "none, single": lambda: Network("single", weights=None, **TRAINING),
}
_COLUMNS = ("method", "seed", "fold", "crop", "label", "score", "seconds")


def list_tests(manifest, seed: int) -> list[np.ndarray]:
    """Return the indices of the test crops of each fold."""
    import mscam_tf

    folds = mscam_tf.split_folds(manifest, FOLDS, seed)
    tests = [[sample.split == "test" for sample in fold.samples] for fold in folds]
    return [np.flatnonzero(test) for test in tests]


def run(name: str, learner, seeds: int, crops, path: Path) -> None:
    """Fit and predict every fold of every seed that is not in the file yet."""
    manifest, images, labels = crops
    done = {(r["method"], int(r["seed"]), int(r["fold"])) for r in read_rows(path)}
    for seed in range(seeds):
        for fold, test in enumerate(list_tests(manifest, seed)):
            if (name, seed, fold) in done:
                continue
            training = np.setdiff1d(np.arange(len(labels)), test)
            began = time.perf_counter()
            learner.fit(images[training], labels[training], seed * FOLDS + fold)
            seconds = f"{time.perf_counter() - began:.1f}"
            scores = learner.predict(images[test])
            rows = [
                [name, seed, fold, manifest.samples[i].path, labels[i], f"{s:.5f}", seconds]
                for i, s in zip(test, scores, strict=True)
            ]
            append_rows(path, _COLUMNS, rows)
            print(name, seed, fold, np.mean((scores > 0) == labels[test]), seconds, flush=True)


def collect(rows) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return for each method the labels `(crops,)` and the scores `(crops, seeds)`."""
    scores = defaultdict(lambda: defaultdict(dict))
    labels = {row["crop"]: int(row["label"]) for row in rows}
    names = sorted(labels)
    for row in rows:
        scores[row["method"]][int(row["seed"])][row["crop"]] = float(row["score"])
    truth = np.array([labels[name] for name in names])
    found = {}
    for method, by_seed in scores.items():
        whole = [values for values in by_seed.values() if len(values) == len(names)]
        if whole:
            found[method] = truth, np.array([[v[name] for v in whole] for name in names])
    return found


def score_accuracy(labels, scores) -> float:
    return float(((scores > 0) == labels[:, None]).mean())


def score_auroc(labels, scores) -> float:
    from sklearn.metrics import roc_auc_score

    return float(np.mean([roc_auc_score(labels, column) for column in scores.T]))


def resample(measure, labels, *tables, resamples=2000) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of a measure over crops, all seeds of a crop together.

    With two tables, of the difference of the measure, crop by crop.
    """
    generator = np.random.default_rng(0)
    values = []
    for _ in range(resamples):
        drawn = generator.integers(len(labels), size=len(labels))
        if 0 < labels[drawn].sum() < len(labels):
            found = [measure(labels[drawn], table[drawn]) for table in tables]
            values.append(found[0] - found[1] if len(found) == 2 else found[0])
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def describe(rows, reference: str) -> list[list[str]]:
    """Make the rows of the table, in the order of `METHODS`."""
    found = collect(rows)
    table = []
    for name in METHODS:
        if name not in found:
            continue
        labels, scores = found[name]
        cells = [name, scores.shape[1]]
        for measure in (score_accuracy, score_auroc):
            low, high = resample(measure, labels, scores)
            cells.append(f"{measure(labels, scores):.3f} [{low:.3f}, {high:.3f}]")
        cells.append(_compare(found, reference, name))
        table.append(cells)
    return table


def _compare(found, reference: str, name: str) -> str:
    if name == reference or reference not in found:
        return ""
    labels, scores = found[name]
    seeds = min(scores.shape[1], found[reference][1].shape[1])
    ours, others = found[reference][1][:, :seeds], scores[:, :seeds]
    low, high = resample(score_accuracy, labels, ours, others)
    difference = score_accuracy(labels, ours) - score_accuracy(labels, others)
    return f"{difference:+.3f} [{low:+.3f}, {high:+.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--methods", nargs="*", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--work", type=Path, default=None)
    arguments = parser.parse_args()
    work = open_work("transfer", arguments.work, crops=arguments.folder.name, **TRAINING)
    path = work / "predictions.csv"
    crops = read_crops(arguments.folder)
    for name in arguments.methods:
        run(name, METHODS[name](), arguments.seeds, crops, path)
    write_page(
        "transfer",
        "What the pretrained weights are worth on real crops",
        f"{len(crops[2])} real crops of fish fillets, half with bones, none of which was seen in "
        f"pretraining. {FOLDS} folds by original, repeated over seeds; each network is trained on "
        "four folds and scored on the fifth. `xray` starts from the embedded weights: `heads` fits "
        "the heads only, otherwise all is tuned, and `none` starts from scratch: both for "
        f"{TRAINING['steps']} steps of 16 crops of 128 x 128 pixels. {POOLING} "
        "`zero-shot` is the pretrained model's own logit of a bone. HOG and DoG (energy and "
        "skewness of differences of Gaussians) are features for a support vector machine. "
        "Accuracy is at each one's own threshold. 95 % bootstrap intervals over crops, all seeds "
        "of a crop together; `gain` is the accuracy of `xray, multi` minus this one's on the same "
        "crops and seeds.",
        ["method", "seeds", "accuracy", "AUROC", "gain of `xray, multi`"],
        describe(read_rows(path), "xray, multi"),
        arguments=f"{arguments.folder.name} --seeds {arguments.seeds} "
        f"--methods {shlex.join(arguments.methods)}",
    )


if __name__ == "__main__":
    main()
