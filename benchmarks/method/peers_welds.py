"""The maps of this library beside those of other methods, of classifiers trained on weld films.

    python -m benchmarks.method.peers_welds PATCHES/manifest.csv

Patches are made as for `benchmarks.transfer.welds`. Each film is left out in turn: the classifier
is trained on the image labels of the others. What is finished stays in the work folder, so that a
run that was stopped goes on where it was.
"""

import argparse
from pathlib import Path

import numpy as np

from benchmarks.common.attribution import FIRST, SHARP, Attributor
from benchmarks.common.comparison import (
    HEADER,
    MarkedSet,
    compare,
    describe_gains,
    score_passes,
)
from benchmarks.common.networks import PRECISION, Network
from benchmarks.common.report import write_page
from benchmarks.common.work import open_work

_SIDE = 224
_TRAINING = {"steps": 96, "learning_rate": 3e-4}
_CHANNELS = 8
_TEXT = f"""{{images}} patches of weld films of {_SIDE} x {_SIDE} pixels, `none` or
`defect`. One film is left out in turn; DenseNet-121 of four scales is trained from the pretrained
weights with the image labels of the others alone, for {_TRAINING["steps"]} steps of 16 in
{{precision}}, and explains the patches of that film in float32. Seeds: {{seeds}}. All maps
are of the same classifiers and patches, and explain the same score: the logit of `defect` less that
of `none`. Maps, scores and methods are those of the page {{{{doc}}}}`peers`; PxAP and pointing are
of the masks of the films. Intervals are 95 %, over films drawn with replacement."""


def join_defect(values):
    """What tells a defect from none: the difference of the two classes."""
    return values[..., 1] - values[..., 0]


def score_film(networks, marked: MarkedSet, film: str, seed: int, folder: Path, without) -> dict:
    """Train on all films but one, and score the maps of its patches."""
    trained, scored = networks
    test, kept = marked.groups == film, folder / "kept.weights.h5"
    if not kept.exists():
        labels = (marked.labels[~test] != "none").astype(int)
        trained.fit(marked.images[~test][..., 0], labels, seed)
        folder.mkdir(parents=True, exist_ok=True)
        trained.model.save_weights(folder / "partial.weights.h5")
        (folder / "partial.weights.h5").replace(kept)
    scored.model.load_weights(kept)
    attributor = Attributor(scored.model, join_defect, _CHANNELS)
    return score_passes(attributor, marked, np.flatnonzero(test), folder, without)


def score_films(networks, marked: MarkedSet, seed: int, work: Path, without) -> dict:
    """Return the scores of each kind of map on all patches, each film left out in turn."""
    joined: dict[str, list] = {}
    films = np.unique(marked.groups)
    for number, film in enumerate(films):
        folder = work / f"seed{seed}" / Path(film).stem
        found = score_film(networks, marked, film, seed * len(films) + number, folder, without)
        for name, scores in found.items():
            whole = joined.setdefault(name, [None] * len(marked.groups))
            for row, score in zip(np.flatnonzero(marked.groups == film), scores, strict=True):
                whole[row] = score
    return joined


def main() -> None:
    import mscam_tf

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("patches", type=Path, help="a manifest of patches of films")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="the first of the seeds")
    parser.add_argument("--without", nargs="*", default=[], help="kinds of maps to leave out")
    parser.add_argument("--precision", default=PRECISION, help="of the training")
    parser.add_argument("--work", type=Path, default=None)
    chosen = parser.parse_args()
    work = open_work("peers_welds", chosen.work, precision=chosen.precision, **_TRAINING)
    marked = MarkedSet.read(mscam_tf.read_manifest(chosen.patches), (_SIDE, _SIDE))
    options = {"side": _SIDE, **_TRAINING}
    networks = (Network(precision=chosen.precision, **options), Network(**options))
    seeds = range(chosen.first, chosen.first + chosen.seeds)
    found = [score_films(networks, marked, k, work, chosen.without) for k in seeds]
    comparison = compare(found, marked)
    without = " ".join(f"'{name}'" for name in chosen.without)
    write_page(
        "peers_welds",
        "The maps beside those of other methods, on weld films",
        _TEXT.format(
            images=len(marked.images),
            seeds=", ".join(map(str, seeds)),
            precision=chosen.precision,
        ),
        HEADER,
        comparison.list_values(),
        arguments=f"PATCHES/{chosen.patches.name} --seeds {chosen.seeds}"
        + (f" --first {chosen.first}" if chosen.first else "")
        + (f" --precision {chosen.precision}" if chosen.precision != PRECISION else "")
        + (f" --without {without}" if without else ""),
        more=describe_gains(comparison, (FIRST, SHARP)),
    )


if __name__ == "__main__":
    main()
