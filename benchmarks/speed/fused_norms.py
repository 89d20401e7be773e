"""What does a fused batch normalisation save in training? Keras' own against it, and precisions."""

import argparse

from benchmarks.common.report import write_page
from benchmarks.common.timing import time_in_turns

_ROUNDS = 10
_CASES = [(precision, fused) for precision in ("float32", "mixed_bfloat16") for fused in (0, 1)]


def make_step(precision: str, fused: bool, side: int, batch: int):
    """Return a training step that is traced already."""
    from contextlib import nullcontext

    import keras
    import numpy as np

    import mscam_tf
    from mscam_tf.training import compile_classifier

    keras.config.set_dtype_policy(precision)
    model = mscam_tf.build_multiscale_classifier(4, (side, side))
    keras.config.set_dtype_policy("float32")
    compile_classifier(model, 3e-4)
    generator = np.random.default_rng(0)
    images = generator.random((batch, side, side, 1), "float32")
    labels = generator.integers(0, 4, batch)
    with mscam_tf.fuse_norms(model) if fused else nullcontext():
        model.train_on_batch(images, labels)
    return lambda: model.train_on_batch(images, labels)


def measure(side: int, batch: int) -> dict[tuple[str, bool], float]:
    """Return the median time of a step in each case; all take turns."""
    steps = {case: make_step(*case, side, batch) for case in _CASES}
    return time_in_turns(steps, _ROUNDS, warm_up=1)


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    rows = []
    for side, batch in ((128, 16), (256, 8)):
        times = measure(side, batch)
        for precision, fused in _CASES:
            time_ = times[precision, fused]
            name = "in one kernel" if fused else "as Keras does"
            ratio = f"{times['float32', 0] / time_:.2f}"
            rows.append([f"{side} x {side}", precision, name, f"{batch / time_:.1f}", ratio])
            print(rows[-1], flush=True)
    write_page(
        "fused_norms",
        "Batch normalisation in one kernel",
        "Training steps (forward, backward, AdamW) of the multi-scale DenseNet-121, TensorFlow, "
        "without XLA, with Keras' own batch normalisation and with `fuse_norms`. All cases take "
        f"turns in one process, {_ROUNDS} rounds, medians. `mscam train` fuses.",
        ["image", "precision", "batch normalisation", "images a second", "speed"],
        rows,
    )


if __name__ == "__main__":
    main()
