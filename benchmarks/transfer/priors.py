"""How near do heads stay to the pretrained logits at their start? Accuracy for several priors.

    python -m benchmarks.transfer.priors FOLDER

FOLDER holds real crops in the folders `none` and `bone`; radiographs are simulated beside them.
"""

import argparse
from pathlib import Path

import numpy as np

from benchmarks.common.data import draw_crops, make_data, read_crops
from benchmarks.common.networks import ZeroShot
from benchmarks.common.report import write_page
from mscam_tf.models import PRIOR, fit_mixture

_PRIORS = ((1, 1), (1, 0.1), (1, 0.01), (0.1, 0.1), (0.1, 0.01), (0.01, 0.001), (4, 0.1))
_SIZES, _DIFFICULTIES, _IMAGES, _SIDE = (8, 16), (1, 2), 400, 128


def read_logits(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the pretrained logits of images, `(n, targets)`, and their labels."""
    network = ZeroShot(side=_SIDE)
    _, images, labels = read_crops(folder)
    return network.predict_targets(images), labels


def measure(logits, labels: np.ndarray, size: int, draws: int, prior) -> float:
    """Return the mean accuracy, on all other images, of heads started by so many labels."""
    found = []
    for draw in range(draws):
        chosen = draw_crops(labels, size, draw)
        rest = np.setdiff1d(np.arange(len(labels)), chosen)
        gains, offset = fit_mixture(logits[chosen], labels[chosen], 2, prior=prior)
        found.append(np.mean((logits[rest] @ gains + offset).argmax(1) == labels[rest]))
    return float(np.mean(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--draws", type=int, default=60)
    parser.add_argument("--work", type=Path, default=Path("runs/priors"))
    chosen = parser.parse_args()
    data = {"crops": chosen.folder}
    for d in _DIFFICULTIES:
        folder = chosen.work / f"difficulty_{d}"
        data[f"simulation {d}"] = make_data(folder, _IMAGES, 77, _SIDE, d, labels="binary")
    logits = {name: read_logits(folder) for name, folder in data.items()}
    rows = []
    for prior in _PRIORS:
        cells = [measure(*logits[n], size, chosen.draws, prior) for n in logits for size in _SIZES]
        rows.append([", ".join(map(str, prior)), *(f"{cell:.3f}" for cell in cells)])
    write_page(
        "priors",
        "How near heads stay to the pretrained logits at their start",
        "Each class starts from at most one pretrained logit, with a gain and an offset whose "
        "priors are 1 and 0. Accuracy on all other images for several inverse variances of these "
        f"priors (`mscam train` has {', '.join(map(str, PRIOR))}), with so many "
        f"labels, half of them `bone`: means over {chosen.draws} draws. Nothing else is trained. "
        "160 real crops of fish fillets, and "
        f"{_IMAGES} simulated radiographs of {_SIDE} x {_SIDE} pixels at two difficulties.",
        ["gain, offset", *(f"{name}, {size} labels" for name in logits for size in _SIZES)],
        rows,
        arguments=f"{chosen.folder.name} --draws {chosen.draws}",
    )


if __name__ == "__main__":
    main()
