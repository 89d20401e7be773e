"""Heads alone, all tuned, or the better of the two: accuracy and seconds of `mscam train`.

    python -m benchmarks.transfer.tune FOLDER

FOLDER holds real crops in the folders `none` and `bone`. For each number of labels, several draws
of crops are given to `mscam_tf.train`, half with bones, and all other crops are scored. What is
finished stays in a CSV file, so that a run that was stopped goes on where it was.
"""

import argparse
import json
import shutil
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.common.data import draw_crops, read_crops
from benchmarks.common.report import write_page
from benchmarks.common.work import append_rows, open_work, read_rows

SIZES = (8, 16, 128)
TUNES = ("heads", "all", "auto")
_COLUMNS = ("tune", "size", "draw", "accuracy", "auroc", "seconds", "kept")


def split_crops(manifest, labels: np.ndarray, size: int, draw: int):
    """Return the manifest with splits: an eighth of the labels, of each class, validates."""
    from mscam_tf.data.manifests import set_splits

    splits = np.array(["test"] * len(labels), object)
    chosen = draw_crops(labels, size, draw)
    splits[chosen] = "train"
    held = max(1, size // 16)
    for half in (chosen[: size // 2], chosen[size // 2 :]):
        splits[half[:held]] = "validation"
    return set_splits(manifest, splits.tolist())


def measure(manifest, tune: str, draw: int, folder: Path) -> list[str]:
    """Train once; return accuracy and AUROC on the test crops, seconds, and what was kept.

    Seconds are those of the processor: they do not depend on what else runs on the machine.
    """
    import mscam_tf

    shutil.rmtree(folder, ignore_errors=True)
    began = time.process_time()
    run = mscam_tf.train(manifest, folder, mscam_tf.TrainConfig(tune=tune, seed=draw))
    seconds = time.process_time() - began
    scores = mscam_tf.evaluate(run, manifest.select("test"), folder / "scores", resamples=1)
    values = [scores.metrics[name]["value"] for name in ("accuracy", "auroc")]
    kept = tune if tune != "auto" else json.loads((folder / "tuning.json").read_text())["kept"]
    return [*(f"{value:.4f}" for value in values), f"{seconds:.0f}", kept]


def run(draws: int, sizes: Sequence[int], crops, work: Path, path: Path) -> None:
    """Train what is not in the file yet: each comparison is whole before the next one begins."""
    manifest, _, labels = crops
    for draw, size, tune in product(range(draws), sizes, TUNES):
        done = {(r["tune"], int(r["size"]), int(r["draw"])) for r in read_rows(path)}
        if (tune, size, draw) not in done:
            split = split_crops(manifest, labels, size, draw)
            row = [tune, size, draw, *measure(split, tune, draw, work / "run")]
            append_rows(path, _COLUMNS, [row])
            print(*row, flush=True)


def describe(rows) -> list[list[object]]:
    """Make the rows of the table."""
    table = []
    for size in SIZES:
        for tune in TUNES:
            found = [r for r in rows if r["tune"] == tune and int(r["size"]) == size]
            if found:
                columns = [[float(r[name]) for r in found] for name in ("accuracy", "auroc")]
                cells = [f"{np.mean(v):.3f} [{min(v):.3f}, {max(v):.3f}]" for v in columns]
                seconds = np.median([float(r["seconds"]) for r in found])
                kept = sum(r["kept"] == "heads" for r in found)
                note = f"heads in {kept}" if tune == "auto" else ""
                table.append([size, f"`{tune}`", len(found), *cells, f"{seconds:.0f}", note])
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES), choices=SIZES)
    parser.add_argument("--work", type=Path, default=None)
    arguments = parser.parse_args()
    work = open_work("tune", arguments.work, crops=arguments.folder.name)
    path = work / "scores.csv"
    run(arguments.draws, arguments.sizes, read_crops(arguments.folder), work, path)
    write_page(
        "tune",
        "Heads alone, or all tuned",
        "`mscam train` with its defaults and `--tune heads`, `all` or `auto`, on so many labelled "
        "crops of fish fillets, half with bones; an eighth of them are for the validation. "
        "128 labels are what it takes of 160 that it splits by itself. Scores are of all other "
        "crops of the 160: mean over the draws, and the lowest and highest in brackets. Seconds "
        "are those of the processor (two cores count twice) for the whole training, with the "
        "building of the network and the range of the maps: the median.",
        ["labels", "tune", "draws", "accuracy", "AUROC", "CPU seconds", "kept"],
        describe(read_rows(path)),
        arguments=f"{arguments.folder.name} --draws {arguments.draws} "
        f"--sizes {' '.join(map(str, arguments.sizes))}",
    )


if __name__ == "__main__":
    main()
