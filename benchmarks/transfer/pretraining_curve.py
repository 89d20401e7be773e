"""How a pretraining went: its history as a table and a picture.

mscam pretrain --out PRETRAINED --steps 1400
python -m benchmarks.transfer.pretraining_curve PRETRAINED
"""

import argparse
from pathlib import Path

from benchmarks.common.report import RESULTS, write_page
from benchmarks.common.work import read_rows
from mscam_tf.records import read_json
from mscam_tf.simulation import TARGETS

_SHOWN = ("logits_loss", "maps_loss", "auroc_bone", "ap_bone")
_ROWS = 14


def read_history(folder: Path) -> list[dict[str, float]]:
    rows = read_rows(folder / "history.csv")
    return [{name: float(value) for name, value in row.items()} for row in rows]


def draw_picture(history, path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    steps = [row["step"] for row in history]
    for name in TARGETS:
        style = {"linewidth": 2.5} if name == "bone" else {"alpha": 0.6}
        left.plot(steps, [row[f"auroc_{name}"] for row in history], label=name, **style)
    left.set(xlabel="step", ylabel="AUROC on 256 fixed scenes")
    left.legend(fontsize=6, ncols=2)
    right.plot(steps, [row["ap_bone"] for row in history], label="average precision")
    right.plot(steps, [row["prevalence_bone"] for row in history], "--", label="prevalence")
    right.set(xlabel="step", ylabel="cells of the bones' map")
    right.legend()
    figure.savefig(path, dpi=110)


def _average(row: dict[str, float]) -> str:
    return f"{sum(row[f'auroc_{name}'] for name in TARGETS[1:]) / len(TARGETS[1:]):.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    history = read_history(arguments.folder)
    draw_picture(history, RESULTS.parent / "images" / "pretraining_curve.png")
    settings = read_json(arguments.folder / "config.json")
    every = -(-len(history) // _ROWS)
    write_page(
        "pretraining_curve",
        "How the pretraining went",
        f"{settings['steps']} steps of {settings['batch_size']} fresh scenes of "
        f"{settings['image_size'][0]} x {settings['image_size'][1]} pixels: losses over the steps "
        "before, and scores on 256 fixed scenes that no training sees: AUROC of the logit of "
        "`bone`; average precision of the cells of the bones' map, whose prevalence is "
        f"{history[0]['prevalence_bone']:.2f} in scenes with bones; and AUROC of the other "
        "targets, on average.\n\n"
        "![The table as a picture](../images/pretraining_curve.png)",
        ["step", "loss, labels", "loss, map", "AUROC bone", "AP bone", "AUROC others"],
        [
            (f"{row['step']:.0f}", *(f"{row[name]:.3f}" for name in _SHOWN), _average(row))
            for row in history[every - 1 :: every]
        ],
        arguments="PRETRAINED",
    )


if __name__ == "__main__":
    main()
