"""A second, harder domain: weld films, one film left out, several starts; and their maps.

    mscam tile FILMS --boxes boxes.csv --masks masks --overlap 0.25 --empty 1 --out PATCHES
    mscam relabel PATCHES --from boxes --thresholds 12.5,22 --out PATCHES/labels.csv
    python -m benchmarks.welds PATCHES/labels.csv

What is finished stays in a CSV file, so that a run that was stopped goes on where it was.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from benchmarks.learners import POOLING, PRECISION, Network, open_work
from benchmarks.report import name_files, write_page
from benchmarks.transfer import append_rows, read_rows

_TOLERANCE = 3.0  # Pixels.
# From every start alike.
_TRAINING = {"steps": 96, "learning_rate": 3e-4, "precision": PRECISION}
_COLUMNS = ("model", "start", "film", "patch", "label", "predicted", "defect", "pointing", "energy")


def run(model: str, start: str, manifest, path: Path) -> None:
    """Train on all films but one, and score its patches and maps; for each film in turn."""
    import mscam_tf
    from mscam_tf.pretrained import name_start

    images = np.stack([mscam_tf.read_image(path) for path in manifest.paths])
    boxes = mscam_tf.read_boxes(manifest.root / "boxes.csv")
    size = images.shape[1:]
    masks = np.stack([_fill(boxes.get(sample.path, []), size) for sample in manifest.samples])
    labels = np.array([manifest.class_names.index(s.label) for s in manifest.samples])
    films = np.array([sample.group for sample in manifest.samples])
    weights = None if start == "none" else start
    side, classes = images.shape[1], len(manifest.class_names)
    learner = Network(model, weights, side=side, classes=classes, **_TRAINING)
    done = {(r["model"], r["start"], r["film"]) for r in read_rows(path)}
    for number, film in enumerate(np.unique(films)):
        key = (model, name_start(start), film)
        if key in done:
            continue
        test = films == film
        began = time.perf_counter()
        learner.fit(images[~test], labels[~test], number)
        logits, maps = learner.predict_logits(images[test]), learner.explain(images[test])
        rows = [
            (*key, manifest.samples[i].path, labels[i], *_score(z, m[..., labels[i]], masks[i]))
            for i, z, m in zip(np.flatnonzero(test), logits, maps, strict=True)
        ]
        append_rows(path, _COLUMNS, rows)
        print(model, start, film, f"{time.perf_counter() - began:.0f} s", flush=True)


def _score(logits, values, mask) -> list[object]:
    """Return the class found, the log-odds of any defect, and how well the map points."""
    from scipy.special import logsumexp

    import mscam_tf

    defect = f"{logsumexp(logits[1:]) - logits[0]:.4f}"  # The first class is `none`.
    if not mask.any():
        return [logits.argmax(), defect, "", ""]
    hit = mscam_tf.points_at(values, mask, _TOLERANCE)
    return [logits.argmax(), defect, int(hit), f"{mscam_tf.energy_inside(values, mask):.4f}"]


def _fill(boxes, size):
    """The defects' boxes as a mask: maps are judged by what annotators draw."""
    mask = np.zeros(size, bool)
    for box in boxes:
        rows = slice(int(np.floor(box.y_min)), int(np.ceil(box.y_max)))
        mask[rows, int(np.floor(box.x_min)) : int(np.ceil(box.x_max))] = True
    return mask


def describe(rows) -> list[list[str]]:
    from sklearn.metrics import roc_auc_score

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
                f"{np.mean([(predicted == labels)[labels == c].mean() for c in set(labels)]):.3f}",
                f"{np.nanmean(hits):.3f}",
                " / ".join(f"{np.nanmean(hits[labels == c]):.2f}" for c in (1, 2, 3)),
                f"{np.nanmean(energy):.3f}",
            ]
        )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--starts", nargs="*", default=["xray", "none"])
    parser.add_argument("--models", nargs="*", default=["multiscale", "single"])
    parser.add_argument("--work", type=Path, default=None)
    arguments = parser.parse_args()
    import mscam_tf

    manifest = mscam_tf.read_manifest(arguments.labels)
    work = open_work("welds", arguments.work, patches=len(manifest.samples), **_TRAINING)
    path = work / "patches.csv"
    for start in arguments.starts:
        for model in arguments.models:
            run(model, start, manifest, path)
    write_page(
        "welds",
        "Weld films: one film left out",
        f"{len(manifest.samples)} patches of 224 x 224 pixels of 7 films, labelled `none` or by "
        "the largest defect's box side (`scale1` below 12.5 pixels, `scale2` below 22, `scale3`). "
        f"DenseNet-121, {_TRAINING['steps']} steps of 16 from each start, in {PRECISION}, trained "
        "on all films but one and scored on that one, in turn. `defect`: accuracy of any defect "
        "against none, and its AUROC, mean over films; `balanced`: balanced accuracy over the four "
        "classes. Of the true class's map, on the patches with a defect: pointing game (brightest "
        f"pixel within {_TOLERANCE:g} pixels of a box; in all, and by scale 1, 2, 3) and which "
        f"share of its positive values lies in the boxes. {POOLING}",
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
        describe(read_rows(path)),
        arguments=f"PATCHES/{arguments.labels.name} --starts {name_files(arguments.starts)} "
        f"--models {' '.join(arguments.models)}",
    )


if __name__ == "__main__":
    main()
