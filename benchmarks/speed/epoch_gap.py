"""How long does an epoch wait for the input pipeline of the one before to end?"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.common.report import write_page

_IMAGES, _SIDE, _EPOCHS = 256, 64, 6
_STEPS = (0.1, 1.0, 3.0)  # Seconds that a training step takes.


def make_dataset(folder: Path, tuned: bool):
    import numpy as np
    import tensorflow as tf
    from PIL import Image

    import mscam_tf

    path = folder / "image.png"
    Image.fromarray(np.zeros((_SIDE, _SIDE), np.uint8)).save(path)
    data = mscam_tf.make_dataset([path] * _IMAGES, [0] * _IMAGES, (_SIDE, _SIDE), training=True)
    if tuned:  # As TensorFlow has it unless told otherwise.
        options = tf.data.Options()
        options.autotune.enabled = True
        data = data.with_options(options)
    return data


def measure_gaps(dataset, step: float) -> list[float]:
    """Return the seconds from the last step of each epoch to the first image of the next."""
    gaps, iterator = [], iter(dataset)
    for _ in range(_EPOCHS):
        for _ in iterator:
            time.sleep(step)  # As long as training would take.
        start = time.perf_counter()
        iterator = iter(dataset)  # The former one ends here, as within `model.fit`.
        next(iterator)
        gaps.append(time.perf_counter() - start)
    return gaps


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for step in _STEPS:
            cells = []
            for tuned in (True, False):
                gaps = measure_gaps(make_dataset(Path(folder), tuned), step)
                cells.append(f"{statistics.mean(gaps):.2f} ({min(gaps):.2f} to {max(gaps):.2f})")
            rows.append([f"{step:.1f}", f"{step * _IMAGES / 16:.0f}", *cells])
    write_page(
        "epoch_gap",
        "The gap between epochs",
        "Whoever starts an epoch ends the input pipeline of the last one. Where TensorFlow tunes "
        "the pipeline, as it does unless told otherwise, this waits until the tuning thread has "
        "slept out. Seconds from the last step of an epoch to the first batch of the next, mean "
        f"(least to most) of {_EPOCHS} epochs of {_IMAGES // 16} steps, each of which sleeps "
        "instead of training. `make_dataset` therefore turns the tuning off and reads on all "
        "cores.",
        ["a step, s", "an epoch, s", "with tuning, s", "as shipped, s"],
        rows,
    )


if __name__ == "__main__":
    main()
