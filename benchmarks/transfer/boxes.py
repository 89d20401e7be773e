"""What are a few boxes worth? The maps, with boxes on none, some or all of the images.

    mscam tile FILMS --boxes boxes.csv --overlap 0.25 --empty 1 --out PATCHES
    python -m benchmarks.transfer.boxes --films PATCHES/manifest.csv --seeds 3

Weld films are left out one by one, and radiographs are simulated. Each trial is kept in a file of
its own, so that a run that was stopped goes on where it was, and more trials may follow.
"""

import argparse
import itertools
import shutil
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

import mscam_tf
from benchmarks.common.box_scores import score
from benchmarks.common.data import make_data
from benchmarks.common.report import describe_difference, write_page
from benchmarks.common.work import open_work, remember
from mscam_tf.data.manifests import NO_OBJECT, find_boxes, relocate, write_boxes

ALL = 10**6  # Boxed images a class: as many as there are.
_SIDE, _TRAINING, _TESTS, _DIFFICULTY = 128, 400, 400, 2.0  # Of what is simulated.
_EDGES = (12.5, 22.0)  # Side of a box in pixels, the root of its area.
_HELD_OUT = 8  # Of so many images one is for the validation.

_TEXT = (
    "DenseNet-121 from the embedded weights, trained by `mscam_tf.train` on the labels of all "
    "images and on the boxes of so many images a class, {} epochs in {}. Welds: "
    "patches of weld films, one film left out in turn. Simulation: "
    f"{_TRAINING} images of {_SIDE} x {_SIDE} pixels, `bone` or `none`, at the difficulty "
    f"{_DIFFICULTY:g}, and {_TESTS} others to test on. The map is the log-odds of any object at "
    "each place, over all scales; `sharp` is the sharp map made of it, whose highest value is its "
    "score of the image. Of each: "
    "share of the boxes found at one false mark an image (maxima over windows of 15 pixels; "
    "3 pixels beside a box count), of all, and of those with a side (root of the area) below "
    f"{_EDGES[0]:g} pixels, below {_EDGES[1]:g}, and above; pointing game (3 pixels), and pixel "
    "average precision over the prevalence, in images with objects. AUROC of any object. Means "
    "over films and seeds; differences of the share found to no boxes, with 95 % intervals over "
    "films, or seeds."
)
_HEADER = (
    *("data", "map", "boxed", "trials", "found", "small", "middle", "large"),
    *("pointing", "AP", "AUROC", "more found"),
)


@dataclass(frozen=True)
class Data:
    """Images to train on and to test on, all of them with boxes."""

    name: str
    manifest: mscam_tf.Manifest
    tests: mscam_tf.Manifest


def list_films(path: Path) -> list[Data]:
    """Leave out each film in turn."""
    manifest = mscam_tf.read_manifest(path)
    films = sorted({sample.group for sample in manifest.samples})
    return [
        Data(
            Path(film).stem,
            replace(manifest, samples=tuple(s for s in manifest.samples if s.group != film)),
            replace(manifest, samples=tuple(s for s in manifest.samples if s.group == film)),
        )
        for film in films
    ]


def simulate(work: Path, seeds: int) -> list[list[Data]]:
    """Simulate images of two classes for each seed, and others to test on."""
    folder = make_data(work / "tests", _TESTS, 10**6, _SIDE, _DIFFICULTY)
    tests = _name_two(mscam_tf.read_manifest(folder))
    found = []
    for seed in range(seeds):
        folder = make_data(work / f"training{seed}", _TRAINING, seed, _SIDE, _DIFFICULTY)
        found.append([Data("simulated", _name_two(mscam_tf.read_manifest(folder)), tests)])
    return found


def _name_two(manifest):
    return mscam_tf.label_binary(manifest, (NO_OBJECT, "bone"))


def mark(data: Data, boxed: int, seed: int, folder: Path) -> mscam_tf.Manifest:
    """Write a folder in which so many images of each class have boxes, and none a mask.

    The order is drawn by the seed: with more boxes, the images of fewer are among them.
    """
    boxes, chosen = find_boxes(data.manifest) or {}, {}
    seen: Counter[str] = Counter()
    samples = []
    for row in np.random.default_rng(seed).permutation(len(data.manifest.samples)):
        sample = data.manifest.samples[row]
        number = seen[sample.label]
        seen[sample.label] += 1
        split = "train" if number % _HELD_OUT else "validation"
        samples.append(replace(sample, group=sample.path, split=split, mask=""))
        if sample.label != NO_OBJECT and number < boxed:
            chosen[sample.path] = boxes[sample.path]
    manifest = relocate(replace(data.manifest, samples=tuple(samples)), folder)
    pairs = zip(samples, manifest.samples, strict=True)
    folder.mkdir(parents=True, exist_ok=True)
    moved = {new.path: chosen[old.path] for old, new in pairs if old.path in chosen}
    write_boxes(moved, folder / "boxes.csv")
    return manifest


def measure(data: Data, boxed: int, seed: int, settings: dict, folder: Path) -> dict:
    """Train with so many boxed images a class, and score the maps of the test images."""
    import keras

    began = time.perf_counter()
    config = mscam_tf.TrainConfig(patience=settings["epochs"], seed=seed, **settings)
    manifest = mark(data, boxed, seed, folder / "data")
    run = mscam_tf.train(manifest, folder / "run", config, resume=True)
    found = score(run, data.tests)
    keras.backend.clear_session()
    shutil.rmtree(folder)
    print(data.name, boxed, seed, f"{time.perf_counter() - began:.0f} s", flush=True)
    return found


def sum_up(trial: dict) -> dict[str, float]:
    """Return the numbers of one trial.

    A film without boxes of a size has none for it, and one without good patches no AUROC.
    """
    found, sides = np.array(trial["found"], float), np.array(trial["sides"])
    sizes = np.digitize(sides, _EDGES)
    by_size = {f"size{k}": found[sizes == k].mean() if (sizes == k).any() else np.nan
               for k in range(3)}  # fmt: skip
    others = {n: np.array(trial[n], float) for n in ("pointing", "ap", "auroc")}
    return {"froc": found.mean(), **by_size, **others}


def tabulate(name: str, kind: str, trials: dict[tuple[int, str, int], dict]) -> list[list[str]]:
    """Return a row for each number of boxed images: means over films and seeds.

    The first numbers are paired with those of none boxed, each film with itself, or each seed.
    """
    numbers = {key: sum_up(trial[kind]) for key, trial in trials.items()}
    counts = sorted({boxed for boxed, _, _ in numbers})
    units = sorted({(place, seed) for _, place, seed in numbers})
    films = len({place for place, _ in units}) > 1
    rows = []
    for boxed in counts:
        own = {unit: numbers[boxed, *unit] for unit in units if (boxed, *unit) in numbers}
        means = {n: np.nanmean([x[n] for x in own.values()]) for n in next(iter(own.values()))}
        gains = defaultdict(list)
        for unit, found in own.items():
            if (0, *unit) in numbers:
                gains[unit[0] if films else unit].append(found["froc"] - numbers[0, *unit]["froc"])
        difference = np.array([np.mean(values) for values in gains.values()])
        cells = [f"{means[n]:.2f}" for n in ("froc", "size0", "size1", "size2", "pointing")]
        cells += [f"{means['ap']:.1f}", f"{means['auroc']:.3f}"]
        label = "all" if boxed == ALL else str(boxed)
        gain = describe_difference(difference) if boxed and len(difference) > 1 else ""
        rows.append([name, kind, label, str(len(own)), *cells, gain])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=Path, default=None, help="a manifest of patches")
    parser.add_argument("--boxes", nargs="*", default=["0", "5", "10", "20", "all"])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--map-weight", type=float, default=1.0)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--no-simulation", action="store_true")
    parser.add_argument("--work", type=Path, default=None)
    arguments = parser.parse_args()
    settings = {name: getattr(arguments, name) for name in ("epochs", "map_weight", "precision")}
    work = open_work("boxes", arguments.work, side=_SIDE, images=_TRAINING, **settings)
    counts = [ALL if text == "all" else int(text) for text in arguments.boxes]
    sources: dict[str, list[list[Data]]] = {}
    if arguments.films is not None:
        sources["welds"] = [list_films(arguments.films)] * arguments.seeds
    if not arguments.no_simulation:
        sources["simulation"] = simulate(work, arguments.seeds)
    trials: dict[str, dict] = defaultdict(dict)
    for seed in range(arguments.seeds):
        for name, source in sources.items():
            for boxed, data in itertools.product(counts, source[seed]):
                trial = f"{name}_{data.name}_{boxed}_seed{seed}"
                trials[name][boxed, data.name, seed] = remember(
                    work / f"{trial}.json",
                    partial(measure, data, boxed, seed, settings, work / trial),
                )
    pairs = itertools.product(trials.items(), ("sum", "sharp"))
    rows = [row for (name, found), kind in pairs for row in tabulate(name, kind, found)]
    films = f"--films PATCHES/{arguments.films.name} " if arguments.films else ""
    write_page(
        "boxes",
        "A few boxes",
        _TEXT.format(arguments.epochs, arguments.precision),
        _HEADER,
        rows,
        arguments=f"{films}--boxes {' '.join(arguments.boxes)} --seeds {arguments.seeds} "
        f"--epochs {arguments.epochs} --precision {arguments.precision}"
        f"{' --no-simulation' * arguments.no_simulation}",
    )


if __name__ == "__main__":
    main()
