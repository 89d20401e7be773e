"""What do local views cost? A classifier with three views of an image against one with one.

Forward pass and training step, both compiled, take turns in one process; ratios of their medians.
"""

import argparse
from functools import partial

from benchmarks.common.report import write_page
from benchmarks.common.timing import time_in_turns

_CLASSES = 4
_VIEWS = {"one": ("global",), "three": ("global", 12.0, 4.0)}


def make_steps(side: int, batch: int):
    """Return what is timed: for each model its forward pass and its training step."""
    import numpy as np
    import tensorflow as tf

    import mscam_tf
    from mscam_tf.fused_norms import fuse_norms
    from mscam_tf.training import compile_classifier

    generator = np.random.default_rng(0)
    images = tf.constant(generator.random((batch, side, side, 1), "float32"))
    labels = generator.integers(_CLASSES, size=batch)
    steps = {}
    for name, views in _VIEWS.items():
        model = mscam_tf.build_multiscale_classifier(_CLASSES, (side, side), views=views)
        compile_classifier(model, 1e-4)
        forward = tf.function(lambda x, m=model: m(x, training=False))
        with fuse_norms(model):
            model.train_on_batch(images, labels)
        steps[f"{name}, forward"] = partial(_call, forward, images)
        steps[f"{name}, training"] = partial(model.train_on_batch, images, labels)
    return steps


def _call(function, images):
    return function(images).numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    rows = []
    for side, batch in ((128, 16), (256, 8), (512, 2)):
        times = time_in_turns(make_steps(side, batch), arguments.rounds, warm_up=2)
        for kind in ("forward", "training"):
            one, three = (times[f"{name}, {kind}"] for name in _VIEWS)
            rows.append(
                [
                    side,
                    kind,
                    f"{1e3 * one / batch:.1f}",
                    f"{1e3 * three / batch:.1f}",
                    f"{three / one:.3f}",
                ]
            )
    write_page(
        "views_speed",
        "What local views cost",
        "Multi-scale DenseNet-121 with one view of an image (the image as a whole, in all three "
        "channels) and with three (`global`, local contrast within 12 and within 4 pixels): "
        "milliseconds an image, and their ratio.",
        ["image side", "step", "one view", "three views", "ratio"],
        rows,
        arguments=f"--rounds {arguments.rounds}",
    )


if __name__ == "__main__":
    main()
