"""Table 1 as a page, with what the failures and the relevance of all multi-scale models say.

    mscam reproduce --out DIR --weights xray --precision mixed_bfloat16
    python -m benchmarks.paper.reproduction DIR [--name reproduction]

The settings of a reproduction are read from `DIR/config.json`, and named on its page; scores from
`DIR/scores.csv`. Both are kept beside the page. What is measured of a model stays in its folder,
and a model that is not there is left out.
"""

import argparse
import csv
import shutil
from collections import defaultdict
from pathlib import Path

import numpy as np

from benchmarks.common.report import RESULTS, describe_difference, make_table, write_page
from benchmarks.common.work import remember

_IMAGES = 400  # Of the fresh ones, on which the overlap of maps is measured.
_KEPT = ("config.json", "scores.csv")
_PAGE = "reproduction"
_TITLES = {
    _PAGE: "Table 1 of the paper",
    "reproduction_easy": "Table 1 of the paper, on easier images and with deep supervision",
    "reproduction_faint": "The same with weights that were taught what is faint",
}


def measure(place: Path, fresh: Path) -> dict:
    """Return of each confused pair of classes its rate and overlaps, and the learned relevance."""
    import keras

    import mscam_tf
    from mscam_tf.data.manifests import sample_classes
    from mscam_tf.models import read_relevance

    run = mscam_tf.open_run(place)
    images = sample_classes(mscam_tf.read_manifest(fresh), _IMAGES)
    confusions, _ = mscam_tf.find_confusions(run, images)
    relevance = read_relevance(run.load_model(), len(run.class_names))
    keras.backend.clear_session()
    pairs = {
        f"{found.true} as {found.predicted}": {
            "rate": found.rate,
            "wrong": len(found.images),
            "overlap": found.average("place_overlap"),
            "soft_iou": found.average("soft_iou"),
            "correlation": found.average("correlation"),
        }
        for found in confusions
    }
    return {"pairs": pairs, "classes": run.class_names, "relevance": relevance.tolist()}


def describe_pairs(found: list[dict]) -> list[list[str]]:
    """Say of each pair, mean over the models that confuse it, how its maps overlap."""
    pairs = defaultdict(list)
    for one in found:
        for name, pair in one["pairs"].items():
            pairs[name].append(pair)
    rates = {name: sum(pair["rate"] for pair in own) / len(found) for name, own in pairs.items()}
    return [
        [
            name,
            f"{rates[name]:.3f}",
            *(_compare(pairs[name], what, "right") for what in ("overlap", "soft_iou")),
            _compare(pairs[name], "correlation", "right"),
            _compare(pairs[name], "overlap", "like"),
        ]
        for name in sorted(pairs, key=lambda name: -rates[name])
    ]


def _compare(pairs: list[dict], what: str, other: str) -> str:
    """Say the mean on wrong images and on others, and their difference, paired by model."""
    values = np.array([[pair[what]["wrong"], pair[what][other]] for pair in pairs], float)
    values = values[np.isfinite(values).all(1)]
    if len(values) < 2:
        return ""
    means = f"{values[:, 0].mean():.3f}, {values[:, 1].mean():.3f}"
    return f"{means}: {describe_difference(values[:, 0] - values[:, 1])}"


def describe_relevance(found: list[dict]) -> list[list[str]]:
    """Say of each class its relevance, the finest scale first, and the mean scale."""
    values = np.array([one["relevance"] for one in found])  # (models, scales, classes)
    scales = np.arange(1, values.shape[1] + 1)
    middle = (scales[:, None] * values).sum(1) / values.sum(1)
    classes = found[0]["classes"]
    others = classes.index("none"), len(classes) - 1  # Of simulated bones the largest are last.
    return [
        [
            name,
            ", ".join(f"{value:.3f}" for value in values.mean(0)[:, index]),
            f"{middle[:, index].mean():.3f}",
            *(
                "" if index == other else describe_difference(middle[:, index] - middle[:, other])
                for other in others
            ),
        ]
        for index, name in enumerate(classes)
    ]


def show_figure(folder: Path, start: str, page: str) -> str:
    """Keep Figure 1 of one start beside the pages, as a small file."""
    from PIL import Image

    source = folder / "figures" / f"{start}.png"
    if not source.exists():
        return ""
    name = f"{page}_{start.rpartition('-')[0] or start}.jpg"
    Image.open(source).convert("RGB").save(RESULTS.parent / "images" / name, quality=85)
    return (
        f"## Figure 1, from `{start}`, seed 0\n\nImages that the multi-scale model sorts right, "
        "with the outline of the bones: the map of their class relative to the mean over the "
        "classes, and its scales, which add up to it.\n\n"
        f"![Maps of examples of each class](../images/{name})"
    )


def describe_start(folder: Path, start: str) -> str:
    """Say what all multi-scale models from one start, as far as they are there, have in common."""
    places = sorted((folder / "trials" / start / "c").glob("seed*"))
    found = [
        remember(place / "found.json", lambda place=place: measure(place, folder / "fresh"))
        for place in places
        if (place / "model.keras").exists()
    ]
    if len(found) < 2:
        return ""
    pairs = make_table(
        ["pair", "rate", "place overlap", "soft IoU", "correlation", "place overlap, against like"],
        describe_pairs(found),
    )
    relevance = make_table(
        [
            "class",
            "relevance",
            "mean scale",
            "minus that of `none`",
            f"minus that of `{found[0]['classes'][-1]}`",
        ],
        describe_relevance(found),
    )
    return (
        f"## Failures and relevance of (c) from `{start}`, {len(found)} models\n\n"
        f"The share of a class that is taken for another, on {_IMAGES} fresh images, and how far "
        "the maps of the two agree: mean on the wrong images, mean on those of the true class that "
        "are right, and the difference, paired by model; last, against the images of the predicted "
        f"class that are right.\n\n{pairs}\n\nRelevance of the scales, the finest first, and the "
        f"mean scale `sum_b b h_b / sum_b h_b`:\n\n{relevance}\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--name", default=_PAGE, help="of the page")
    arguments = parser.parse_args()
    from mscam_tf.experiments import list_settings

    folder, page = arguments.folder, arguments.name
    kept = RESULTS / page
    kept.mkdir(exist_ok=True)
    for name in _KEPT:
        shutil.copy(folder / name, kept)
    tables = {}
    for name in ("table1", "differences"):
        with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            tables[name] = list(csv.reader(file))
    starts = sorted({row[0] for row in tables["table1"][1:]})
    differences = make_table(tables["differences"][0], tables["differences"][1:])
    parts = ["## Paired differences", differences]
    for start in starts:
        parts += [describe_start(folder, start), show_figure(folder, start, page)]
    settings = ", ".join(f"`{name} = {value}`" for name, value in list_settings(folder).items())
    write_page(
        page,
        _TITLES.get(page, f"Table 1 of the paper: {page}"),
        f"What `mscam reproduce --out DIR` made of it, with these settings: {settings}. "
        "{doc}`../reproduction` says how, and what the columns are. Mean ± standard deviation over "
        "seeds of split and training; differences are paired by seed, with their 95 % interval. "
        f"{{download}}`scores.csv <{page}/scores.csv>` has every trial, and what it was trained "
        f"with; with {{download}}`config.json <{page}/config.json>` beside it in `DIR`, `mscam "
        "reproduce` with the same settings goes on from there, with other `--weights` and more "
        "`--seeds` too.",
        tables["table1"][0],
        tables["table1"][1:],
        arguments="DIR" if page == _PAGE else f"DIR --name {page}",
        more="\n\n".join(filter(None, parts)),
    )


if __name__ == "__main__":
    main()
