"""What maps cost: time an image, and memory, of each method for one classifier."""

from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.common.attribution import BESIDES, Attributor, make_packaged
from benchmarks.common.report import make_table
from benchmarks.common.timing import read_peak_memory, run_apart, time_in_turns
from benchmarks.common.work import remember

PLAIN = "the scores alone"
_ROUNDS, _IMAGES = 7, 8
_TEXT = f"""One classifier, {_IMAGES} images in a batch, with TensorFlow. All passes take turns in
one process, {_ROUNDS} rounds, medians; where several maps are named, one pass gives all of them.
Memory is the peak resident size of a process that runs only that pass, less that of one that runs
the scores alone. tf-keras-vis runs on a copy of the classifier with a layer that does nothing after
the last feature map. Scaled to a highest value of 1, its maps differ from those above by at most
{{}}."""


def list_steps(attributor: Attributor, images: np.ndarray) -> dict:
    """Return what is measured, by name."""
    steps = {PLAIN: attributor.score}
    steps |= {", ".join(names): make for names, make in attributor.passes.items()}
    packaged = make_packaged(attributor.model, attributor.join)
    steps |= {f"{name}, by tf-keras-vis": make for name, make in packaged.items()}
    return {name: partial(make, images) for name, make in steps.items()}


def measure_case(attributor: Attributor, name: str) -> float:
    """Run one pass alone, and return the peak memory of this process, in MB."""
    height, width = attributor.model.input.shape[1:3]
    images = np.random.default_rng(0).random((_IMAGES, height, width, 1), np.float32)
    step = list_steps(attributor, images)[name]
    for _ in range(3):
        step()
    return read_peak_memory()


def describe_cost(work: Path, attributor: Attributor, images: np.ndarray, *case: str) -> str:
    """Return a section of a page; `case` are the arguments that call `measure_case`, but its name.

    What was measured is kept in the work folder.
    """
    chosen = images[-_IMAGES:]
    rows = remember(work / "times.json", lambda: _measure(attributor, chosen, case))
    differences = remember(work / "package.json", lambda: _differ(attributor, chosen))
    shown = ", ".join(f"{name} {value:.0e}" for name, value in differences.items())
    header = ["maps of one pass", "ms an image", "times the scores alone", "extra peak memory, MB"]
    return "\n\n".join(["## Time and memory", _TEXT.format(shown), make_table(header, rows)])


def _measure(attributor: Attributor, images: np.ndarray, case: tuple[str, ...]) -> list[list[str]]:
    steps = list_steps(attributor, images)
    times = time_in_turns(steps, _ROUNDS, warm_up=2)
    peaks = {name: float(run_apart(*case, name)) for name in steps}
    return [
        [
            name,
            f"{1e3 * times[name] / len(images):.1f}",
            f"{times[name] / times[PLAIN]:.2f}",
            f"{peaks[name] - peaks[PLAIN]:+.0f}",
        ]
        for name in steps
    ]


def _differ(attributor: Attributor, images: np.ndarray) -> dict[str, float]:
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
