"""Is the advice worth anything? A set grown by it against one grown at random, by as many images.

    python -m benchmarks.method.advice [--seeds 5]

What is finished stays in the work folder, so that a run that was stopped goes on where it was.
"""

import argparse
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.common.data import make_data
from benchmarks.common.networks import PRECISION
from benchmarks.common.report import describe_difference, describe_mean, write_page
from benchmarks.common.scoring import score
from benchmarks.common.work import open_work, remember

_SIDE, _POOL, _FRESH, _FIRST, _MORE, _EPOCHS = 128, 1200, 1000, 120, 120, 8
_WAYS = ("first", "random", "margin", "advice")


def run_seed(folder: Path, seed: int) -> dict[str, float]:
    """Return the accuracy on fresh images of the first set, and of the sets grown in each way."""
    import mscam_tf

    data = make_data(folder / "pool", _POOL, seed=3 * 10**6)
    manifest = mscam_tf.read_manifest(data)
    order = np.random.default_rng(seed).permutation(_POOL)
    first, pool = order[:_FIRST].tolist(), order[_FIRST:].tolist()
    found = {"first": train(folder, manifest, first, "first", seed)}
    ranked = rank(folder, manifest, pool, seed)
    for way in _WAYS[1:]:
        more = pool[:_MORE] if way == "random" else ranked[way][:_MORE]
        found[way] = train(folder, manifest, first + more, way, seed)
    return found


def train(folder: Path, manifest, chosen: list[int], way: str, seed: int) -> float:
    """Train on the chosen images, a tenth of them for validation; return the accuracy."""
    import mscam_tf

    place = folder / f"seed{seed}" / way

    def measure():
        shutil.rmtree(place, ignore_errors=True)
        few = mscam_tf.Manifest(manifest.root, tuple(manifest.samples[i] for i in chosen))
        split = mscam_tf.split_manifest(few, seed)
        samples = tuple(
            replace(sample, split="train") if sample.split == "test" else sample
            for sample in split.samples
        )
        config = mscam_tf.TrainConfig(
            map_weight=0,  # Labels alone.
            image_size=(_SIDE, _SIDE),
            epochs=_EPOCHS,
            patience=_EPOCHS,
            precision=PRECISION,
            seed=seed,
        )
        run = mscam_tf.train(mscam_tf.Manifest(few.root, samples), place, config)
        shutil.rmtree(place / "checkpoints")
        return score(run, make_data(folder / "fresh", _FRESH, seed=3 * 10**6 + 1))

    return remember(place / "found.json", measure)["accuracy"]


def rank(folder: Path, manifest, pool: list[int], seed: int) -> dict[str, list[int]]:
    """Order the pool by the advice of the first model, and by its margins alone."""
    import mscam_tf

    def measure():
        run = mscam_tf.open_run(folder / f"seed{seed}" / "first")
        paths = [manifest.paths[i] for i in pool]
        number = dict(zip(paths, pool, strict=True))
        images = mscam_tf.measure_overlaps(run, paths)
        orders = {
            "advice": mscam_tf.rank_unlabelled(images),
            "margin": sorted(images, key=lambda image: image.margin),
        }
        return {way: [number[image.path] for image in order] for way, order in orders.items()}

    return remember(folder / f"seed{seed}" / "ranked.json", measure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--work", type=Path, default=None)
    arguments = parser.parse_args()
    work = open_work(
        "advice",
        arguments.work,
        precision=PRECISION,
        side=_SIDE,
        pool=_POOL,
        fresh=_FRESH,
        first=_FIRST,
        more=_MORE,
        epochs=_EPOCHS,
    )
    found = []
    for seed in range(arguments.seeds):
        found.append(run_seed(work, seed))
        print(seed, found[-1], flush=True)
    rows = []
    for way in _WAYS:
        values = np.array([one[way] for one in found])
        differences = values - [one["random"] for one in found]
        interval = "" if way == "random" else describe_difference(differences)
        rows.append([way, describe_mean(values), interval])
    write_page(
        "advice",
        "Is the advice on what to label next worth anything?",
        f"Simulated radiographs of {_SIDE} x {_SIDE} pixels in four classes. A model is "
        f"trained, in {PRECISION}, on {_FIRST} of them (`first`); then {_MORE} of "
        f"{_POOL - _FIRST} others are labelled: drawn at random, those with the smallest "
        "margin, or those that `mscam analyze --unlabelled` "
        "puts first (margin and overlap of maps). Trained anew on all and scored on "
        f"{_FRESH} fresh images. {arguments.seeds} seeds of draw, split and order, each the same "
        "for all ways; mean and standard deviation of the accuracy, and the paired difference to "
        "`random` with its 95 % interval (Student's t).",
        ["set", "accuracy", "difference to random"],
        rows,
        arguments=f"--seeds {arguments.seeds}",
    )


if __name__ == "__main__":
    main()
