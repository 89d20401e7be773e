"""How many labelled images are needed? Accuracy against their number, for several starts.

    python -m benchmarks.transfer.learning_curve FOLDER

FOLDER holds real crops in the folders `none` and `bone`. For each number, several draws of crops
are trained on, half with bones, and all other crops are scored. What is finished stays in a CSV
file, so that a run that was stopped goes on where it was.
"""

import argparse
import shlex
import time
from collections import defaultdict
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.common.baselines import SupportVectors, describe_bands
from benchmarks.common.data import draw_crops, read_crops
from benchmarks.common.networks import BATCH, POOLING, TRAINING, Network
from benchmarks.common.report import RESULTS, write_page
from benchmarks.common.work import append_rows, open_work, read_rows

SIZES = (4, 8, 16, 32, 64, 128)
_EPOCHS = 20  # As many as `mscam train` takes, of 16 crops at least.
METHODS = {  # What learns from so many crops.
    "xray": lambda size: _build("xray", _EPOCHS * max(1, size // BATCH)),
    "xray heads": lambda size: _build("xray", 0),  # noqa: ARG005
    "none": lambda size: _build(None, TRAINING["steps"]),  # noqa: ARG005
    "DoG": lambda size: SupportVectors(describe_bands),  # noqa: ARG005
}
_LABELS = {
    "xray": "xray, all tuned",
    "xray heads": "xray, heads only",
    "none": "from scratch",
    "DoG": "DoG and support vectors",
}
_COLUMNS = ("method", "size", "draw", "accuracy", "auroc", "seconds")


@cache
def _build(weights: str | None, steps: int) -> Network:
    """Build a network for so many steps once: the first of them takes long."""
    return Network(weights=weights, steps=steps, learning_rate=TRAINING["learning_rate"])


def run(name: str, draws: int, sizes: list[int], crops, path: Path) -> None:
    from sklearn.metrics import roc_auc_score

    _, images, labels = crops
    done = {(r["method"], int(r["size"]), int(r["draw"])) for r in read_rows(path)}
    for draw in range(draws):
        for size in sizes:
            if (name, size, draw) in done:
                continue
            training = draw_crops(labels, size, draw)
            rest = np.setdiff1d(np.arange(len(labels)), training)
            began = time.perf_counter()
            learner = METHODS[name](size)
            learner.fit(images[training], labels[training], draw)
            seconds = time.perf_counter() - began
            scores = learner.predict(images[rest])
            accuracy = np.mean((scores > 0) == labels[rest])
            auroc = roc_auc_score(labels[rest], scores)
            row = [name, size, draw, f"{accuracy:.4f}", f"{auroc:.4f}", f"{seconds:.1f}"]
            append_rows(path, _COLUMNS, [row])
            print(*row, flush=True)


def collect(rows) -> dict[str, dict[int, list[float]]]:
    found = defaultdict(lambda: defaultdict(list))
    for row in rows:
        found[row["method"]][int(row["size"])].append(float(row["accuracy"]))
    return found


def draw_picture(found, path: Path) -> None:
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    figure = Figure(figsize=(6.4, 4), layout="constrained")
    axes = figure.add_subplot()
    for name in METHODS:
        if name not in found:
            continue
        sizes = sorted(found[name])
        values = [np.array(found[name][size]) for size in sizes]
        (line,) = axes.plot(sizes, [v.mean() for v in values], "o-", label=_LABELS[name])
        low, high = [v.min() for v in values], [v.max() for v in values]
        axes.fill_between(sizes, low, high, color=line.get_color(), alpha=0.15, linewidth=0)
    axes.set_xscale("log", base=2)
    axes.set_xticks(SIZES, [str(size) for size in SIZES])
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xlabel("labelled crops, half of them with bones")
    axes.set_ylabel("accuracy on the other crops")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--methods", nargs="*", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES), choices=SIZES)
    parser.add_argument("--work", type=Path, default=None)
    arguments = parser.parse_args()
    settings = {"crops": arguments.folder.name, "epochs": _EPOCHS, **TRAINING}
    work = open_work("learning_curve", arguments.work, **settings)
    path = work / "scores.csv"
    crops = read_crops(arguments.folder)
    for name in arguments.methods:
        run(name, arguments.draws, arguments.sizes, crops, path)
    found = collect(read_rows(path))
    draw_picture(found, RESULTS.parent / "images" / "learning_curve.png")
    write_page(
        "learning_curve",
        "How many labelled images are needed",
        "Accuracy on all other crops of the 160 after training on so many, half with bones: "
        f"mean over {arguments.draws} draws, and the lowest and highest in brackets. The "
        "multi-scale DenseNet-121 at 128 x 128 pixels: all tuned from the embedded weights, for "
        f"{_EPOCHS} steps of 16 up to 16 crops and {_EPOCHS} epochs of more; heads alone; and all "
        f"from scratch, which takes {TRAINING['steps']} steps of 16 for any number; and energy and "
        f"skewness of differences of Gaussians with a support vector machine. {POOLING}\n\n"
        "![The table as a picture](../images/learning_curve.png)",
        ["crops", *(_LABELS[name] for name in METHODS if name in found)],
        [
            [
                size,
                *(
                    _describe(found[name][size], arguments.draws)
                    for name in METHODS
                    if name in found
                ),
            ]
            for size in SIZES
            if any(found[name][size] for name in found)
        ],
        arguments=f"{arguments.folder.name} --draws {arguments.draws} "
        f"--methods {shlex.join(arguments.methods)} --sizes {' '.join(map(str, arguments.sizes))}",
    )


def _describe(values: list[float], draws: int) -> str:
    if not values:
        return ""
    fewer = f" ({len(values)} of the draws)" if len(values) < draws else ""
    return f"{np.mean(values):.3f} [{min(values):.3f}, {max(values):.3f}]{fewer}"


if __name__ == "__main__":
    main()
