"""The maps of this library beside those of other methods, of the same trained classifiers.

    python -m benchmarks.method.peers [--welds PATCHES/labels.csv]

Simulated radiographs with masks: the classifiers are trained on image labels alone. Weld films with
boxes (patches made as for `benchmarks.transfer.welds`): the pretrained classifier without any
training; `benchmarks.method.peers_welds` has trained ones. What is finished stays in the work
folder, so that a run that was stopped goes on where it was.
"""

import argparse
from pathlib import Path

import numpy as np

from benchmarks.common import bones
from benchmarks.common.attribution import FIRST, Attributor
from benchmarks.common.comparison import HEADER, MarkedSet, compare, describe_gains, score_passes
from benchmarks.common.report import make_table, write_page
from benchmarks.common.work import open_work

_SINGLE = "single-scale model"
_WELD_SIDE = 224
_TEXT = f"""DenseNet-121 of four scales, trained from the pretrained weights with the image labels
`bone` and `none` alone on {bones.TRAINING} simulated radiographs of {bones.SIDE} x {bones.SIDE}
pixels ({bones.SETTINGS["epochs"]} epochs), then scored on {bones.TESTS} others with masks and
boxes. Seeds: {{seeds}}. All maps are of the same classifiers and images, and explain the same
score: the logit of `bone` less that of `none`.

The scores are those of {{{{doc}}}}`../locating`: MaxBoxAccV2 (thresholds in steps of 0.02), PxAP,
the share of the objects found at one false mark an image, of all and of those with a side below
12.5 pixels, and the pointing game. Intervals are 95 %, over images drawn with replacement.

The finest scale and the CAM of the last block are parts of the multi-scale map. Grad-CAM,
Grad-CAM++, LayerCAM and Score-CAM explain the last feature map if nothing else is said. Score-CAM
tries the {{channels}} channels that vary most. `dark spots` and `bright spots` are a filter that
learns nothing; `sharp map` is the probability of the multi-scale map at each place times the
strength of these spots. `centre` shows the middle of each image. tf-keras-vis does not find a layer
within a backbone that is a model itself, and xplique 2.0 installs with older versions of TensorFlow
alone; so the methods are written in a few lines each (`benchmarks/common/attribution.py`). What
each of them costs is on the page {{{{doc}}}}`methods`."""
_WELDS = """{} patches of weld films of 224 x 224 pixels, with boxes. Intervals are over films. The
pretrained classifier, which has seen no film, explains the highest logit of its targets but
bones."""


def join_bone(run):
    """What tells bones from none: the difference of the two classes."""
    bone, none = (run.class_names.index(name) for name in ("bone", "none"))
    return lambda values: values[..., bone] - values[..., none]


def join_defects(values):
    """Of the pretrained classifier: the highest of all targets but bones."""
    import keras

    from mscam_tf.simulation import TARGETS

    others = [k for k, name in enumerate(TARGETS) if not name.startswith("bone")]
    return keras.ops.max(keras.ops.take(values, others, axis=-1), axis=-1)


def open_trained(work: Path, model: str, seed: int, channels: int) -> Attributor:
    run = bones.train(work, model, "xray", seed)
    return Attributor(run.load_model(), join_bone(run), channels)


def score_simulated(work: Path, seed: int, marked: MarkedSet, without, channels: int) -> dict:
    rows = np.arange(len(marked.images))
    attributor = open_trained(work, "multiscale", seed, channels)
    found = score_passes(attributor, marked, rows, work / f"bones{seed}", without)
    if _SINGLE in without:
        return found
    attributor = open_trained(work, "single", seed, channels)
    others = {name for names in attributor.passes for name in names} - {FIRST}
    single = score_passes(attributor, marked, rows, work / f"bones{seed}_single", others)
    return found | {_SINGLE: single[FIRST]}


def score_zero_shot(work: Path, marked: MarkedSet, without, channels: int) -> dict:
    import mscam_tf

    model = mscam_tf.build_pretrained_classifier((_WELD_SIDE, _WELD_SIDE))
    rows = np.arange(len(marked.images))
    attributor = Attributor(model, join_defects, channels)
    return score_passes(attributor, marked, rows, work / "welds", without)


def read_tests(work: Path) -> MarkedSet:
    import mscam_tf

    manifest = mscam_tf.label_binary(
        mscam_tf.read_manifest(bones.make_tests(work)), ("none", "bone")
    )
    return MarkedSet.read(manifest, (bones.SIDE, bones.SIDE))


def write(arguments, work: Path) -> None:
    marked, options = read_tests(work), (arguments.without, arguments.channels)
    seeds = [score_simulated(work, seed, marked, *options) for seed in range(arguments.seeds)]
    simulated = compare(seeds, marked)
    more = [describe_gains(simulated)]
    if arguments.welds:
        more += describe_welds(arguments, work)
    write_page(
        arguments.page,
        "The maps beside those of other methods",
        _TEXT.format(seeds=arguments.seeds, channels=arguments.channels),
        HEADER,
        simulated.list_values(),
        arguments=name_arguments(arguments),
        more="\n\n".join(more),
    )


def describe_welds(arguments, work: Path) -> list[str]:
    import mscam_tf

    manifest = mscam_tf.read_manifest(arguments.welds)
    marked = MarkedSet.read(manifest, (_WELD_SIDE, _WELD_SIDE))
    without = [*arguments.without, *arguments.welds_without]
    found = score_zero_shot(work, marked, without, arguments.channels)
    comparison = compare([found], marked)
    table = make_table(HEADER, comparison.list_values())
    title, text = "## Weld films, without any training", _WELDS.format(len(marked.images))
    return [title, text, table, describe_gains(comparison)]


def name_arguments(arguments) -> str:
    welds = f"--welds PATCHES/{arguments.welds.name} " if arguments.welds else ""
    text = f"{welds}--seeds {arguments.seeds} --channels {arguments.channels}"
    for option in ("without", "welds_without"):
        names = " ".join(f"'{name}'" for name in getattr(arguments, option))
        text += f" --{option.replace('_', '-')} {names}" if names else ""
    return f"{text} --page {arguments.page}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--welds", type=Path, default=None, help="labels.csv of patches of films")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--channels", type=int, default=8, help="that Score-CAM tries")
    parser.add_argument("--without", nargs="*", default=[], help="kinds of maps to leave out")
    parser.add_argument("--welds-without", nargs="*", default=[], help="the same, of welds alone")
    parser.add_argument("--work", type=Path, default=None)
    parser.add_argument("--page", default="peers", help="name of the page of results")
    arguments = parser.parse_args()
    settings = {"training": bones.TRAINING, "tests": bones.TESTS, **bones.SETTINGS}
    work = open_work("peers", arguments.work, **settings, channels=arguments.channels)
    write(arguments, work)


if __name__ == "__main__":
    main()
