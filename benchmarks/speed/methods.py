"""What do maps cost? Time an image, and memory, of each method for one classifier.

    python -m benchmarks.speed.methods

All passes take turns in one process; memory is that of processes of their own.
"""

import argparse
from functools import partial

import numpy as np

from benchmarks.common.attribution import BESIDES, Attributor, make_packaged
from benchmarks.common.networks import Network
from benchmarks.common.report import write_page
from benchmarks.common.timing import read_peak_memory, run_apart, time_in_turns

_MODULE, _PLAIN = "benchmarks.speed.methods", "the scores alone"
_IMAGES, _SIDE, _CHANNELS = 8, 128, 8
_TEXT = f"""DenseNet-121 of four scales and two classes, {_SIDE} x {_SIDE} pixels, {_IMAGES} images
in a batch, with TensorFlow. All passes take turns in one process, {{rounds}} rounds, medians; where
several maps are named, one pass gives all of them. All explain the same score: the difference of
the two logits. Memory is the peak resident size of a process that runs only that pass, less that of
one that runs the scores alone.

Grad-CAM, Grad-CAM++, LayerCAM and Score-CAM (of {_CHANNELS} channels) are written in a few lines
each, as for {{{{doc}}}}`peers`. tf-keras-vis does not find a layer within a backbone that is a
model itself, so it runs on a copy of the classifier with a layer that does nothing after the last
feature map. Scaled to a highest value of 1, its maps differ from ours of the same methods by at
most {{differences}}."""


def make_attributor() -> Attributor:
    network = Network("multiscale", "xray", side=_SIDE, steps=0, learning_rate=0)
    return Attributor(network.model, lambda values: values[..., 1] - values[..., 0], _CHANNELS)


def make_images() -> np.ndarray:
    return np.random.default_rng(0).random((_IMAGES, _SIDE, _SIDE, 1), np.float32)


def list_steps(attributor: Attributor, images: np.ndarray) -> dict:
    """Return what is measured, by name."""
    steps = {_PLAIN: attributor.score}
    steps |= {", ".join(names): make for names, make in attributor.passes.items()}
    packaged = make_packaged(attributor.model, attributor.join)
    steps |= {f"{name}, by tf-keras-vis": make for name, make in packaged.items()}
    return {name: partial(make, images) for name, make in steps.items()}


def measure_memory(name: str) -> float:
    """Run one pass alone, and return the peak memory of this process, in MB."""
    step = list_steps(make_attributor(), make_images())[name]
    for _ in range(3):
        step()
    return read_peak_memory()


def measure_all(rounds: int) -> None:
    attributor, images = make_attributor(), make_images()
    steps = list_steps(attributor, images)
    times = time_in_turns(steps, rounds, warm_up=2)
    peaks = {name: float(run_apart(_MODULE, "--case", name)) for name in steps}
    rows = [
        [
            name,
            f"{1e3 * times[name] / _IMAGES:.1f}",
            f"{times[name] / times[_PLAIN]:.2f}",
            f"{peaks[name] - peaks[_PLAIN]:+.0f}",
        ]
        for name in steps
    ]
    differences = compare_packaged(attributor, images).items()
    write_page(
        "methods",
        "The cost of maps by several methods",
        _TEXT.format(
            rounds=rounds,
            differences=", ".join(f"{name} {value:.0e}" for name, value in differences),
        ),
        ["maps of one pass", "ms an image", "times the scores alone", "extra peak memory, MB"],
        rows,
        f"--rounds {rounds}",
    )


def compare_packaged(attributor: Attributor, images: np.ndarray) -> dict[str, float]:
    """Return how far maps are from those of tf-keras-vis, each scaled to a highest value of 1."""
    import tensorflow as tf

    own = dict(zip(BESIDES, attributor.weigh_last(images), strict=True))
    found = {}
    for name, make in make_packaged(attributor.model, attributor.join).items():
        theirs = tf.image.resize(make(images)[..., None], images.shape[1:3])[..., 0]
        found[name] = float(np.abs(_scale(np.asarray(theirs)) - _scale(own[name])).max())
    return found


def _scale(maps: np.ndarray) -> np.ndarray:
    """Scale each map by its highest value: tf-keras-vis leaves out other factors."""
    return maps / np.maximum(maps.max((1, 2), keepdims=True), np.finfo(np.float32).tiny)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--case", help="measure the memory of one pass: it calls itself so")
    arguments = parser.parse_args()
    if arguments.case:
        print(measure_memory(arguments.case))
    else:
        measure_all(arguments.rounds)


if __name__ == "__main__":
    main()
