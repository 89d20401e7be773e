"""What does each part contribute? Scales, taps, pooling, the kind of relevance, deep supervision.

    python -m benchmarks.method.ablation [--seeds 3] [--difficulty 0.3]

Whole networks from scratch on simulated radiographs, all on the same splits, and scored on fresh
ones; `benchmarks.method.frozen_ablation` has the penalties, on the pretrained backbone. What is
finished stays in the work folder, so that a run that was stopped goes on where it was.
"""

import argparse
import shlex
import shutil
from pathlib import Path

import numpy as np

from benchmarks.common.data import make_data
from benchmarks.common.networks import PRECISION, RAW_TAPS, RELU_TAPS
from benchmarks.common.report import describe_difference, describe_mean, make_table, write_page
from benchmarks.common.scoring import score
from benchmarks.common.work import open_work, remember

_SIDE, _IMAGES, _FRESH, _EPOCHS = 128, 371, 1000, 24
_DIFFICULTY = 0.3  # From scratch, hardly anything is learned from so few images at 1.
_REFERENCE = "3 scales"
VARIANTS = {
    "1 scale": {"model": "single", "taps": RELU_TAPS[3:]},
    "2 scales": {"taps": RELU_TAPS[2:]},
    _REFERENCE: {"taps": RELU_TAPS[1:]},
    "4 scales": {"taps": RELU_TAPS},
    "3 scales, raw taps": {"taps": RAW_TAPS},
    "3 scales, softmax relevance": {"taps": RELU_TAPS[1:], "normalization": "softmax"},
    "3 scales, heads of unit norm": {"taps": RELU_TAPS[1:], "unit_norm_heads": True},
    "3 scales, soft pooling": {"taps": RELU_TAPS[1:], "pooling": "soft"},
    "3 scales, deep supervision": {"taps": RELU_TAPS[1:], "deep_supervision": 0.5},
    "3 scales, deep supervision, soft pooling": {
        "taps": RELU_TAPS[1:],
        "deep_supervision": 0.5,
        "pooling": "soft",
    },
}


def run(folder: Path, name: str, seed: int, difficulty: float) -> dict:
    """Train and score one variant, unless that was done."""
    import mscam_tf

    place = folder / name.replace(" ", "_").replace(",", "") / f"seed{seed}"

    def measure():
        shutil.rmtree(place, ignore_errors=True)
        data = make_data(folder / "data", _IMAGES, seed=2 * 10**6, difficulty=difficulty)
        manifest = mscam_tf.split_manifest(mscam_tf.read_manifest(data), seed)
        config = mscam_tf.TrainConfig(
            image_size=(_SIDE, _SIDE),
            map_weight=0,  # Labels alone.
            weights=None,
            epochs=_EPOCHS,
            patience=_EPOCHS,
            precision=PRECISION,
            seed=seed,
            **VARIANTS[name],
        )
        trained = mscam_tf.train(manifest, place, config)
        shutil.rmtree(place / "checkpoints")
        fresh = make_data(folder / "fresh", _FRESH, seed=2 * 10**6 + 1, difficulty=difficulty)
        return score(trained, fresh)

    return remember(place / "found.json", measure)


def describe(name: str, found: list[dict], reference: list[dict]) -> list[str]:
    """Say the mean of each score over the seeds, and how it differs from the reference."""
    cells = [name]
    for what in ("accuracy", "two", "ap"):
        values, others = (np.array([one[what] for one in some]) for some in (found, reference))
        cells += [
            describe_mean(values),
            "" if found is reference else describe_difference(values - others),
        ]
    return cells


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--difficulty", type=float, default=_DIFFICULTY)
    parser.add_argument("--variants", nargs="*", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--work", type=Path, default=None)
    arguments = parser.parse_args()
    difficulty = arguments.difficulty
    page = "ablation" if difficulty == _DIFFICULTY else f"ablation_{difficulty:g}"
    settings = {"side": _SIDE, "images": _IMAGES, "fresh": _FRESH, "epochs": _EPOCHS}
    settings |= {"start": "none", "difficulty": difficulty, "precision": PRECISION}
    work = open_work(page, arguments.work, **settings)
    some = arguments.variants != list(VARIANTS)
    chosen = f" --variants {shlex.join(arguments.variants)}" if some else ""
    found = {name: [] for name in [_REFERENCE, *arguments.variants]}
    for seed in range(arguments.seeds):
        for name, values in found.items():
            values.append(run(work, name, seed, difficulty))
            print(name, seed, values[-1], flush=True)
    found = {name: found[name] for name in VARIANTS if name in found}
    scales = [row for name, values in found.items() for row in describe_scales(name, values)]
    write_page(
        page,
        f"What each part contributes, from scratch, difficulty {difficulty:g}",
        f"DenseNet-121 from scratch, {_EPOCHS} epochs on the training split of {_IMAGES} "
        f"simulated radiographs of {_SIDE} x {_SIDE} pixels in four classes, with the contrast of "
        f"the bones divided by {difficulty:g}, in {PRECISION}, scored on {_FRESH} fresh ones; "
        f"{arguments.seeds} seeds of split, initial weights and order, mean and standard "
        "deviation. `difference` is paired by seed, against `3 scales`, with its 95 % interval "
        "(Student's t). AP is the pixel average precision of the true class's map, relative to the "
        "mean over the classes, in multiples of the prevalence. Heads pool by the mean over the "
        "map unless named otherwise; deep supervision has the weight 0.5, and its weights are kept "
        "by the validation loss of all heads.",
        [
            "variant",
            *(
                cell
                for score in ("own classes", "two classes", "AP")
                for cell in (score, "difference")
            ),
        ],
        [describe(name, values, found[_REFERENCE]) for name, values in found.items()],
        arguments=f"--seeds {arguments.seeds} --difficulty {difficulty:g}{chosen}",
        more="Relevance of each scale, finest first, and which share of the variance of the "
        "class's logit over the images is due to it (covariance with the logit):\n\n"
        + make_table(["variant", "class", "relevance", "share of variance"], scales),
    )


if __name__ == "__main__":
    main()
