"""Which way of training is quickest here? Images a second by precision, compiler and backend."""

import argparse
import statistics
import subprocess
import time

from benchmarks.common.report import write_page
from benchmarks.common.timing import run_apart

_SIDE, _BATCH, _ROUNDS = 128, 16, 8
_CASES = [
    ("TensorFlow, float32", "tensorflow", "float32", False),
    ("TensorFlow, mixed_bfloat16", "tensorflow", "mixed_bfloat16", False),
    ("TensorFlow, float32, XLA", "tensorflow", "float32", True),
    ("TensorFlow, mixed_bfloat16, XLA", "tensorflow", "mixed_bfloat16", True),
    ("JAX, float32", "jax", "float32", True),
    ("JAX, mixed_bfloat16", "jax", "mixed_bfloat16", True),
]


def measure(precision: str, xla: bool) -> tuple[float, float]:
    """Return images a second once compiled, and the seconds of the first step."""
    import keras
    import numpy as np

    import mscam_tf

    keras.config.set_dtype_policy(precision)
    model = mscam_tf.build_multiscale_classifier(4, (_SIDE, _SIDE))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.AdamW(3e-4), loss, jit_compile=xla)
    generator = np.random.default_rng(0)
    images = generator.random((_BATCH, _SIDE, _SIDE, 1), "float32")
    labels = generator.integers(0, 4, _BATCH)
    times = []
    for _ in range(_ROUNDS + 1):
        start = time.perf_counter()
        model.train_on_batch(images, labels)
        times.append(time.perf_counter() - start)
    return _BATCH / statistics.median(times[1:]), times[0]


def measure_all() -> None:
    rows = []
    for title, backend, precision, xla in _CASES:
        arguments = ("--case", precision, str(int(xla)))
        try:
            line = run_apart("benchmarks.speed.throughput", *arguments, KERAS_BACKEND=backend)
            rate, first = line.split()
            rows.append([title, f"{float(rate):.1f}", f"{float(first):.0f}"])
        except subprocess.CalledProcessError as error:
            rows.append([title, f"failed, status {error.returncode}", ""])
        print(rows[-1], flush=True)
    write_page(
        "throughput",
        "Images a second in training",
        f"Training steps of the multi-scale DenseNet-121, {_SIDE} x {_SIDE} pixels, batch "
        f"{_BATCH}, each case in a process of its own, median of {_ROUNDS} steps after the first. "
        "The first step includes tracing and compilation.",
        ["case", "images a second", "first step, s"],
        rows,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--case",
        nargs=2,
        metavar=("PRECISION", "XLA"),
        help="measure one case and print it: this benchmark calls itself so",
    )
    case = parser.parse_args().case
    if case is None:
        measure_all()
    else:
        print(*measure(case[0], bool(int(case[1]))))


if __name__ == "__main__":
    main()
