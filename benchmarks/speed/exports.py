"""How fast are exports? Against TensorFlow's plain forward pass in the same process, and memory.

Time: all take turns in one process; the ratio of their medians to that of the plain forward pass.
Memory: the peak resident size of a process that runs only one of them.
"""

import argparse
from functools import partial
from pathlib import Path

from benchmarks.common.report import write_page
from benchmarks.common.timing import run_apart, time_in_turns

_SIDE, _CLASSES, _IMAGES = 256, ["crack", "none", "void", "wire"], 32
# What is measured: the folder of the export, and whether it may compute in less than float32.
_CASES = {
    "ONNX Runtime, float32": ("onnx", False),
    "OpenVINO, float32": ("openvino", False),
    "OpenVINO, its default precision": ("openvino", True),
    "OpenVINO, int8, the rest in float32": ("int8", False),
    "OpenVINO, int8, the rest in its default precision": ("int8", True),
}
_PLAIN, _EXPLAINER = "TensorFlow, the plain forward pass", "TensorFlow, the explainer"


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


def make_images(batch: int):
    import numpy as np

    return np.random.default_rng(0).random((batch, _SIDE, _SIDE, 1), np.float32)


def make_call(name: str, work: Path):
    """Return what takes images through one of the cases."""
    import mscam_tf

    if name in _CASES:
        folder, fast = _CASES[name]
        return mscam_tf.load_exported(work / folder, fast=fast).engine.explain
    import numpy as np
    import tensorflow as tf

    model = mscam_tf.open_run(work / "run").load_model()
    model = mscam_tf.build_explainer(model) if name == _EXPLAINER else model
    function = tf.function(lambda x: model(x, training=False), reduce_retracing=True)

    def call(images):
        outputs = function(tf.constant(images))
        return np.asarray(outputs["maps"] if isinstance(outputs, dict) else outputs)

    return call


def measure_memory(name: str, work: Path) -> float:
    """Return the peak resident size of this process, in MB, as Linux counts it."""
    call, images = make_call(name, work), make_images(8)
    for _ in range(3):
        call(images)
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure_all(work: Path, rounds: int) -> None:
    prepare(work)
    names = (_PLAIN, _EXPLAINER, *_CASES)
    calls = {name: make_call(name, work) for name in names}
    times = {}
    for batch in (8, 1):
        images = make_images(batch)
        steps = {name: partial(call, images) for name, call in calls.items()}
        times[batch] = time_in_turns(steps, rounds, warm_up=2)
    module = "benchmarks.speed.exports"
    peaks = {n: float(run_apart(module, "--work", str(work), "--case", n)) for n in names}
    rows = [
        [
            name,
            *(f"{times[batch][name] / times[batch][_PLAIN]:.2f}" for batch in (8, 1)),
            f"{1e3 * times[8][name] / 8:.1f}",
            f"{1e3 * times[1][name]:.1f}",
            f"{peaks[name]:.0f}",
        ]
        for name in names
    ]
    write_page(
        "exports",
        "The speed of exports",
        f"DenseNet-121 with four scales and three views, {len(_CLASSES)} classes, "
        f"{_SIDE} x {_SIDE} pixels. The plain forward pass returns logits; all others return "
        "logits and the maps of all classes at full resolution. They take turns in one process, "
        f"{rounds} rounds, medians. Memory is the peak resident size of a process that runs only "
        "one of them, at batch 8; those of exports hold no TensorFlow. The bars, of the time of "
        "the plain forward pass: OpenVINO at most 0.90 in float32, 0.45 in its default precision, "
        "and 0.25 in int8.",
        [
            *("engine", "batch 8, ratio", "batch 1, ratio"),
            *("batch 8, ms an image", "batch 1, ms an image", "peak memory, MB"),
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
