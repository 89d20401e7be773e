"""How fast are exports? Against TensorFlow's plain forward pass in the same process, and memory.

Time: all take turns in one process; the ratio of their medians to that of the plain forward pass.
Arithmetic: that of the convolutions, as a share of what a product of two large matrices reaches in
the same runtime and precision. Memory: the peak resident size of a process that runs only one.
"""

import argparse
from functools import partial
from pathlib import Path

from benchmarks.common.arithmetic import SIDE, count_operations, make_product
from benchmarks.common.report import write_page
from benchmarks.common.timing import read_peak_memory, run_apart, time_in_turns

_SIDE, _CLASSES, _IMAGES = 256, ["crack", "none", "void", "wire"], 32
_MODULE = "benchmarks.speed.exports"
# What is measured: the folder of the export, whether it may compute in less than float32, and the
# product of matrices that shows what is in reach.
_CASES = {
    "ONNX Runtime, float32": ("onnx", False, "onnx"),
    "OpenVINO, float32": ("openvino", False, "openvino"),
    "OpenVINO, its default precision": ("openvino", True, "openvino fast"),
    "OpenVINO, int8, the rest in float32": ("int8", False, "openvino int8"),
    "OpenVINO, int8, the rest in its default precision": ("int8", True, "openvino int8"),
}
_PLAIN, _EXPLAINER = "TensorFlow, the plain forward pass", "TensorFlow, the explainer"
# The model as Keras itself exports it, without maps.
_SCORES = {
    "OpenVINO by Keras, the scores alone, float32": (False, "openvino"),
    "OpenVINO by Keras, the scores alone, its default precision": (True, "openvino fast"),
}
_NAMES = (_PLAIN, _EXPLAINER, *_CASES, *_SCORES)


def prepare(work: Path) -> None:
    """Make a run of pretrained weights, and its exports, unless they are there."""
    import mscam_tf
    from mscam_tf.runs import create_run
    from mscam_tf.simulation import Plan, SimulationConfig, write_radiographs

    if not (work / "images").exists():
        plan = Plan(_IMAGES, SimulationConfig(image_size=(_SIDE, _SIDE)))
        write_radiographs(work / "images", plan)
    if not (work / "run" / "model.keras").exists():
        config = mscam_tf.TrainConfig(image_size=(_SIDE, _SIDE), batch_size=8)
        run = create_run(work / "run", config, _CLASSES, "")
        model = mscam_tf.build_multiscale_classifier(
            len(_CLASSES), (_SIDE, _SIDE), weights="xray", scales=4
        )
        model.save(run.folder / "model.keras")
    run = mscam_tf.open_run(work / "run")
    paths = sorted(p for p in (work / "images").rglob("*.png") if "masks" not in p.parts)
    for name, int8 in (("onnx", False), ("openvino", False), ("int8", True)):
        if not (work / name).exists():
            format = "onnx" if name == "onnx" else "openvino"
            mscam_tf.export_run(run, work / name, format, int8=int8, images=paths)
    if not (work / "scores" / "model.xml").exists():
        (work / "scores").mkdir(exist_ok=True)
        file = str(work / "scores" / "model.xml")
        run.load_model().export(file, format="openvino", verbose=False)


def make_images(batch: int):
    import numpy as np

    return np.random.default_rng(0).random((batch, _SIDE, _SIDE, 1), np.float32)


def make_call(name: str, work: Path):
    """Return what takes images through one of the cases."""
    import mscam_tf

    if name in _CASES:
        folder, fast, _ = _CASES[name]
        return mscam_tf.load_exported(work / folder, fast=fast).engine.explain
    if name in _SCORES:
        import openvino

        fast, _ = _SCORES[name]
        options = {} if fast else {"INFERENCE_PRECISION_HINT": "f32"}
        model = openvino.compile_model(work / "scores" / "model.xml", "CPU", options)
        return lambda images: model([images])[0]
    return make_keras_call(name, work)


def make_keras_call(name: str, work: Path):
    import numpy as np
    import tensorflow as tf

    import mscam_tf

    model = mscam_tf.open_run(work / "run").load_model()
    model = mscam_tf.build_explainer(model) if name == _EXPLAINER else model
    function = tf.function(lambda x: model(x, training=False), reduce_retracing=True)

    def call(images):
        outputs = function(tf.constant(images))
        return np.asarray(outputs["maps"] if isinstance(outputs, dict) else outputs)

    return call


def measure_memory(name: str, work: Path) -> float:
    """Return the peak resident size of this process, in MB."""
    call, images = make_call(name, work), make_images(8)
    for _ in range(3):
        call(images)
    return read_peak_memory()


def measure_times(work: Path, rounds: int) -> dict[int, dict[str, float]]:
    """Return the seconds that each case takes, for batches of 8 and of 1."""
    calls, times = {name: make_call(name, work) for name in _NAMES}, {}
    for batch in (8, 1):
        images = make_images(batch)
        steps = {name: partial(call, images) for name, call in calls.items()}
        times[batch] = time_in_turns(steps, rounds, warm_up=2)
    return times


def measure_shares(work: Path, times: dict[str, float], rounds: int) -> dict[str, float]:
    """Return the rate of each case's arithmetic, at batch 8, in that of a product of matrices."""
    products = {_PLAIN: "tensorflow", _EXPLAINER: "tensorflow"}
    products |= {name: case[-1] for name, case in {**_CASES, **_SCORES}.items()}
    steps = {name: make_product(name) for name in dict.fromkeys(products.values())}
    reached = {k: 2 * SIDE**3 / t for k, t in time_in_turns(steps, rounds, warm_up=2).items()}
    operations = 8 * count_operations(work / "openvino" / "model.xml")
    return {n: operations / times[n] / reached[product] for n, product in products.items()}


def measure_all(work: Path, rounds: int) -> None:
    prepare(work)
    times = measure_times(work, rounds)
    shares = measure_shares(work, times[8], rounds)
    peaks = {n: float(run_apart(_MODULE, "--work", str(work), "--case", n)) for n in _NAMES}
    rows = [
        [
            name,
            *(f"{times[batch][name] / times[batch][_PLAIN]:.2f}" for batch in (8, 1)),
            f"{1e3 * times[8][name] / 8:.1f}",
            f"{1e3 * times[1][name]:.1f}",
            f"{shares[name]:.0%}",
            f"{peaks[name]:.0f}",
        ]
        for name in _NAMES
    ]
    operations = count_operations(work / "openvino" / "model.xml") / 1e9
    write_page(
        "exports",
        "The speed of exports",
        f"DenseNet-121 with four scales and three views, {len(_CLASSES)} classes, "
        f"{_SIDE} x {_SIDE} pixels. The plain forward pass returns logits, as does what Keras "
        "itself exports; all others return logits and the maps of all classes at full resolution. "
        f"They take turns in one process, {rounds} rounds, medians. The bars, of the time of the "
        "plain forward pass: OpenVINO at most 0.90 in float32, 0.45 in its default precision, "
        "and 0.25 in int8. The rate of arithmetic is that of the convolutions, "
        f"{operations:.1f} billion multiplications and additions an image, at batch 8: a share of "
        f"the rate of a product of two {SIDE} x {SIDE} matrices in the same runtime and precision. "
        "Memory is the peak resident size of a process that runs only one of them, at batch 8; "
        "those of exports hold no TensorFlow.",
        [
            *("engine", "batch 8, ratio", "batch 1, ratio"),
            *("batch 8, ms an image", "batch 1, ms an image", "rate of arithmetic"),
            "peak memory, MB",
        ],
        rows,
        f"--rounds {rounds}",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--work", type=Path, default=Path("runs/exports"))
    parser.add_argument(
        "--case",
        metavar="NAME",
        help="measure one case and print it: this benchmark calls itself so",
    )
    arguments = parser.parse_args()
    if arguments.case is None:
        measure_all(arguments.work, arguments.rounds)
    else:
        print(measure_memory(arguments.case, arguments.work))


if __name__ == "__main__":
    main()
