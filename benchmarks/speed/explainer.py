"""What do the maps cost? The explainer against the plain forward pass: time and memory.

Time: both compiled functions take turns in one process; the ratio of their medians. Memory: the
peak resident size of a process that runs only one of them.
"""

import argparse
import statistics
from functools import partial

from benchmarks.common.report import write_page
from benchmarks.common.timing import read_peak_memory, run_apart, time_in_turns

_SIDE, _CLASSES, _ROUNDS = 256, 4, 15


def make_functions():
    import tensorflow as tf

    import mscam_tf

    model = mscam_tf.build_multiscale_classifier(_CLASSES, (_SIDE, _SIDE))
    explainer = mscam_tf.build_explainer(model)
    return {
        name: tf.function(lambda x, m=m: m(x, training=False), reduce_retracing=True)
        for name, m in (("plain", model), ("explainer", explainer))
    }


def make_images(batch: int):
    import numpy as np
    import tensorflow as tf

    return tf.constant(np.random.default_rng(0).random((batch, _SIDE, _SIDE, 1), "float32"))


def measure_times(batch: int) -> dict[str, float]:
    functions, images = make_functions(), make_images(batch)

    def call(function):
        outputs = function(images)
        (outputs["maps"] if isinstance(outputs, dict) else outputs).numpy()

    steps = {name: partial(call, function) for name, function in functions.items()}
    return time_in_turns(steps, _ROUNDS, warm_up=2)


def measure_memory(name: str, batch: int) -> float:
    """Return the peak resident size of this process, in MB."""
    function, images = make_functions()[name], make_images(batch)
    for _ in range(5):
        function(images)
    return read_peak_memory()


def measure_peak(name: str, batch: int) -> float:
    """Return the median of three processes, in MB."""
    case = ("--case", name, str(batch))
    peaks = [float(run_apart("benchmarks.speed.explainer", *case)) for _ in range(3)]
    return statistics.median(peaks)


def measure_all() -> None:
    rows = []
    for batch in (8, 32):
        times = measure_times(batch)
        peaks = {name: measure_peak(name, batch) for name in times}
        rows.append(
            [
                batch,
                f"{1e3 * times['plain'] / batch:.1f}",
                f"{1e3 * times['explainer'] / batch:.1f}",
                f"{times['explainer'] / times['plain']:.3f}",
                f"{peaks['explainer'] - peaks['plain']:+.0f}",
            ]
        )
    write_page(
        "explainer",
        "The cost of the maps",
        f"DenseNet-121 with three scales, {_CLASSES} classes, {_SIDE} x {_SIDE} pixels, "
        "TensorFlow, float32. The explainer returns the logits and the maps of all classes at "
        "full resolution; the plain forward pass returns the logits. Both compiled functions take "
        f"turns in one process, {_ROUNDS} rounds, medians. Memory is the peak resident size of a "
        "process that runs only one of the two, the median of three. The bar: at most 1.05 times "
        "the time, "
        "and 100 MB.",
        ["batch", "plain, ms an image", "explainer, ms an image", "ratio", "extra peak memory, MB"],
        rows,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--case",
        nargs=2,
        metavar=("NAME", "BATCH"),
        help="measure one case and print it: this benchmark calls itself so",
    )
    case = parser.parse_args().case
    if case is None:
        measure_all()
    else:
        print(measure_memory(case[0], int(case[1])))


if __name__ == "__main__":
    main()
