"""A second, harder domain: weld films, one film left out, several starts; and their maps.

    mscam tile FILMS --boxes boxes.csv --masks masks --overlap 0.25 --empty 1 --out PATCHES
    mscam relabel PATCHES --from boxes --thresholds 12.5,22 --out PATCHES/labels.csv
    python -m benchmarks.transfer.welds PATCHES/labels.csv

What is finished stays in a CSV file, so that a run that was stopped goes on where it was.
"""

import argparse
import itertools
import time
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

import mscam_tf
from benchmarks.common.baselines import SupportVectors, describe_bands, describe_gradients
from benchmarks.common.box_scores import find_odds
from benchmarks.common.films import Patches, read_patches
from benchmarks.common.marks import KEY, describe_marks, write_marks
from benchmarks.common.networks import POOLING, Network, ZeroShot
from benchmarks.common.report import name_files, write_page
from benchmarks.common.work import append_rows, open_work, read_rows
from mscam_tf.metrics import sharpen_maps
from mscam_tf.models import parse_weights

HEADS = "xray-heads"  # A start of which the heads alone are fitted.
TWO = ", two classes"  # A model that learns any defect against none.
SHARP, MIRRORED = ", sharp", ", mirrored"  # Kinds of maps, of any model.
ZERO_SHOT = "zero-shot"  # A model that is the pretrained classifier itself: no label is used.
BASELINES = {"HOG": describe_gradients, "DoG": describe_bands}  # With a support vector machine.
_TOLERANCE = 3.0  # Pixels.
# From every start alike.
_TRAINING = {"steps": 96, "learning_rate": 3e-4, "precision": "float32"}
_COLUMNS = (*KEY, "patch", "label", "predicted", "defect", "pointing", "energy")


def build(
    method: str, start: str, patches: Patches, *, sizes: bool = True
) -> Network | SupportVectors | ZeroShot:
    if method in BASELINES:
        return SupportVectors(BASELINES[method])
    side, classes = patches.images.shape[1], len(set(patches.labels)) if sizes else 2
    if method == ZERO_SHOT:
        return ZeroShot(start, side, classes)
    training = _TRAINING | ({"steps": 0} if start == HEADS else {})
    weights = {"none": None, HEADS: "xray"}.get(start, start)
    return Network(method, weights, side=side, classes=classes, **training)


def run(
    method: str, start: str, seed: int, patches: Patches, work: Path, *, sizes: bool = True
) -> None:
    """Train on all films but one, and score its patches and maps; for each film in turn."""
    name = start if start in ("", HEADS) else parse_weights(start).name
    learner = build(method, start, patches, sizes=sizes)
    method = method if sizes else f"{method}{TWO}"
    done = {tuple(row[k] for k in KEY) for row in read_rows(work / "patches.csv")}
    films = np.unique(patches.films)
    for number, film in enumerate(films):
        key = (method, name, str(seed), str(film))
        if key in done:
            continue
        began = time.perf_counter()
        test = patches.films == film
        found, maps = learn(learner, patches, test, seed * len(films) + number, sizes=sizes)
        boxes = [patches.boxes[i] for i in np.flatnonzero(test)]
        for kind, defects in maps.items():
            write_marks(work, (method + kind, *key[1:]), defects, boxes)
        rows = [
            (method + kind, *key[1:], patches.names[i], patches.labels[i], *values)
            for kind, scores in found.items()
            for i, values in zip(np.flatnonzero(test), scores, strict=True)
        ]
        append_rows(work / "patches.csv", _COLUMNS, rows)
        print(*key, f"{time.perf_counter() - began:.0f} s", flush=True)


def learn(
    learner, patches: Patches, test: np.ndarray, seed: int, *, sizes: bool = True
) -> tuple[dict[str, list[list[object]]], dict[str, np.ndarray]]:
    """Return of each patch the class found, the score of any defect, and how well the map points.

    The score is the log-odds of all classes but the first, `none`, or what a machine of its own
    says. Also returned are maps of any defect, if there are any: the same log-odds at each place.
    Both are by the kind of map, as it is added to the name of the model: the sum of the scales, the
    finest alone, and sharp maps, whose score is their highest value; and the same of the mean over
    mirror images.
    """
    images = patches.images
    labels = patches.labels if sizes else (patches.labels > 0).astype(int)
    learner.fit(images[~test], labels[~test], seed)
    if isinstance(learner, SupportVectors):
        defects = SupportVectors(learner.describe)
        defects.fit(images[~test], labels[~test] > 0, seed)
        pairs = zip(learner.classify(images[test]), defects.predict(images[test]), strict=True)
        return {"": [[predicted, f"{score:.4f}", "", ""] for predicted, score in pairs]}, {}
    scores, marks = {}, {}
    for mirrored, explain in (("", _explain), (MIRRORED, _explain_mirrored)):
        logits, maps = explain(learner, images[test])
        objects = np.arange(logits.shape[-1]) > 0  # All classes but the first.
        found = {shown: find_odds(values, objects) for shown, values in maps.items()}
        pairs = zip(found["sum"], images[test], strict=True)
        sharp = np.stack([sharpen_maps(*pair) for pair in pairs])
        marks |= {mirrored: found.pop("sum"), f"{mirrored}{SHARP}": sharp}
        marks |= {f"{mirrored}, {shown}": values for shown, values in found.items()}
        own = [values[..., c] for values, c in zip(maps["sum"], labels[test], strict=True)]
        highest, odds = sharp.max((1, 2)), find_odds(logits, objects)
        for kind, values, shown in (("", odds, own), (SHARP, highest, sharp)):
            parts = zip(logits.argmax(1), values, shown, patches.masks[test], strict=True)
            scores[mirrored + kind] = [
                [c, f"{score:.4f}", *score_map(map_, mask)] for c, score, map_, mask in parts
            ]
    return scores, marks


def _explain(learner, images: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    return learner.predict_logits(images), learner.explain(images)


def _explain_mirrored(learner, images: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the means of logits and maps over the four mirror images."""
    total, sums = 0, {}
    for down, across in itertools.product((1, -1), repeat=2):
        logits, maps = _explain(learner, images[:, ::down, ::across])
        total = total + logits / 4
        for shown, values in maps.items():
            sums[shown] = sums.get(shown, 0) + values[:, ::down, ::across] / 4
    return total, sums


def score_map(values: np.ndarray, mask: np.ndarray) -> list[object]:
    """Return whether the map points at a defect, and its share of energy there."""
    if not mask.any():
        return ["", ""]
    hit = mscam_tf.points_at(values, mask, _TOLERANCE)
    return [int(hit), f"{mscam_tf.energy_inside(values, mask):.4f}"]


def describe(rows) -> list[list[str]]:
    table = []
    for key in dict.fromkeys((row["model"], row["start"]) for row in rows):
        own = [row for row in rows if (row["model"], row["start"]) == key]
        labels = np.array([int(row["label"]) for row in own])
        predicted = np.array([int(row["predicted"]) for row in own])
        defect = np.array([float(row["defect"]) for row in own])
        films = np.array([row["film"] for row in own])
        hits = np.array([float(row["pointing"] or "nan") for row in own])
        energy = np.array([float(row["energy"] or "nan") for row in own])
        areas = [
            roc_auc_score(labels[films == film] > 0, defect[films == film])
            for film in np.unique(films)
            if 0 < (labels[films == film] > 0).sum() < (films == film).sum()
        ]
        table.append(
            [
                *key,
                len(np.unique(films)),
                f"{np.mean((predicted > 0) == (labels > 0)):.3f}",
                f"{np.mean(areas):.3f}",
                "" if TWO in key[0] else f"{measure_balanced(predicted, labels):.3f}",
                *(describe_maps(hits, energy, labels) if np.isfinite(hits).any() else 3 * [""]),
            ]
        )
    return table


def measure_balanced(predicted: np.ndarray, labels: np.ndarray) -> float:
    return float(np.mean([(predicted == labels)[labels == c].mean() for c in set(labels)]))


def describe_maps(hits: np.ndarray, energy: np.ndarray, labels: np.ndarray) -> list[str]:
    by_scale = " / ".join(f"{np.nanmean(hits[labels == c]):.2f}" for c in (1, 2, 3))
    return [f"{np.nanmean(hits):.3f}", by_scale, f"{np.nanmean(energy):.3f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--starts", nargs="*", default=["xray", HEADS, "none"])
    parser.add_argument("--models", nargs="*", default=["multiscale", "single"])
    parser.add_argument("--baselines", nargs="*", default=[*BASELINES], choices=[*BASELINES])
    embedded = ["xray", "xray-2", "xray-1"]
    parser.add_argument("--zero-shot", nargs="*", default=embedded, metavar="WEIGHTS")
    parser.add_argument("--two-classes", action="store_true", help="learn any defect against none")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="the first of the seeds")
    parser.add_argument("--work", type=Path, default=None)
    parser.add_argument("--page", default="welds", help="name of the page of results")
    arguments = parser.parse_args()
    manifest = mscam_tf.read_manifest(arguments.labels)
    work = open_work("welds", arguments.work, patches=len(manifest.samples), **_TRAINING)
    patches = read_patches(manifest)
    for method in arguments.baselines:
        run(method, "", 0, patches, work)
    for weights in arguments.zero_shot:
        run(ZERO_SHOT, weights, 0, patches, work)
    for seed in range(arguments.first, arguments.first + arguments.seeds):
        for start in arguments.starts:
            for model in arguments.models:
                run(model, start, seed, patches, work, sizes=not arguments.two_classes)
    write_page(
        arguments.page,
        "Weld films: one film left out",
        f"{len(manifest.samples)} patches of 224 x 224 pixels of {len(set(patches.films))} films, "
        "labelled `none` or by the largest defect's box side (`scale1` below 12.5 pixels, `scale2` "
        "below 22, `scale3`). "
        f"DenseNet-121, {_TRAINING['steps']} steps of 16 from each start, trained "
        "on all films but one and scored on that one, in turn. `defect`: accuracy of any defect "
        "against none, and its AUROC, mean over films; `balanced`: balanced accuracy over the four "
        "classes; `two classes` are models that learned any defect against none. Of the true "
        "class's map, on the patches with a defect: pointing game (brightest pixel within "
        f"{_TOLERANCE:g} pixels of a box; in all, and by scale 1, 2, 3) and which "
        f"share of its positive values lies in the boxes. {POOLING} `xray-heads` fits the heads "
        "alone; `zero-shot` is the pretrained classifier itself, which has seen no film. `sharp` "
        "are sharp maps, whose highest value is the score, and `mirrored` are means over mirror "
        "images. HOG and DoG (as in {doc}`transfer`) are features for support vector machines.",
        [
            "model",
            "start",
            "films",
            "defect",
            "AUROC",
            "balanced",
            "pointing",
            "by scale",
            "energy",
        ],
        describe(read_rows(work / "patches.csv")),
        arguments=f"PATCHES/{arguments.labels.name} --starts {name_files(arguments.starts)} "
        f"--models {' '.join(arguments.models)} --baselines {' '.join(arguments.baselines)} "
        f"--zero-shot {name_files(arguments.zero_shot)} --seeds {arguments.seeds} "
        f"{f'--first {arguments.first} ' * (arguments.first > 0)}"
        f"{'--two-classes ' * arguments.two_classes}"
        f"--page {arguments.page}",
        more=describe_marks(work, patches.images, patches.boxes, patches.films),
    )


if __name__ == "__main__":
    main()
