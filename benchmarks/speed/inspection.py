"""How fast are folders inspected, against the engine alone? And does memory grow with them?

Time: an export runs batches that are in memory, and inspects the same images from files, in turns
in one process. Memory: the resident size of processes that inspect folders of two lengths.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.common.report import make_table, write_page
from benchmarks.common.timing import run_apart
from benchmarks.common.work import remember

_SMALL, _LENGTHS = 64, (1_000, 10_000)
_ENGINE = "the engine alone"


def write_noise(folder: Path, side: int, count: int) -> list[Path]:
    """Write images of noise, unless they are there: nobody looks at them."""
    import numpy as np
    from PIL import Image

    if not folder.exists():
        partial = folder.with_suffix(".partial")
        partial.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(0).integers(0, 256, (count, side, side), np.uint8)
        for number, image in enumerate(pixels):
            Image.fromarray(image).save(partial / f"{number:05d}.png", compress_level=1)
        partial.rename(folder)
    return sorted(folder.iterdir())


def export_tiny(work: Path) -> None:
    """Make an export of three convolutions, unless it is there."""
    import keras

    import mscam_tf
    from mscam_tf.runs import OperatingPoint, create_run, write_operating_point

    def build(input_shape):  # noqa: ARG001
        x = image = keras.Input((None, None, 3))
        for filters in (4, 6, 8):
            x = keras.layers.Conv2D(filters, 3, 2, padding="same", activation="relu")(x)
        return keras.Model(image, x)

    if (work / "export").exists():
        return
    mscam_tf.register_backbone("Tiny", build)
    size = (_SMALL, _SMALL)
    config = mscam_tf.TrainConfig(image_size=size, backbone="Tiny", weights="none")
    run = create_run(work / "run", config, ["bone", "none"], "")
    mscam_tf.build_multiscale_classifier(2, size, backbone="Tiny").save(run.folder / "model.keras")
    write_operating_point(run, OperatingPoint({"bone": 0.0}, good="none"))
    images = write_noise(work / "few", _SMALL, 4)
    mscam_tf.export_run(run, work / "export", "onnx", images=images)


def open_calibrated(export: Path, paths: list[Path], threads: int):
    """Open an export with thresholds that the maps and scores of one image in twenty reach."""
    import numpy as np

    from mscam_tf.inspection import open_source
    from mscam_tf.runs import score_rejects

    session = open_source(export, threads=threads)
    found = list(session.explain(paths))
    names = session.task.class_names
    heights = np.quantile([one.maps.max((0, 1)) for one in found], 0.95, axis=0)
    scores = score_rejects(session.task, np.stack([one.logits for one in found]), "none")
    named = zip(names, heights.tolist(), strict=True)
    point = {
        "map_thresholds": {name: height for name, height in named if name != "none"},
        "decision_threshold": float(np.quantile(scores, 0.95)),
        "good": "none",
    }
    return replace(session, run=replace(session.run, records={"operating_point": point}))


def make_steps(work: Path, export: Path, images: Path, threads: int) -> dict[str, Callable]:
    """Return what takes turns: the engine on images in memory, and an inspection of their files."""
    import numpy as np

    from mscam_tf.data.reading import read_image
    from mscam_tf.inspection import inspect_images

    paths = sorted(path for path in images.rglob("*.png") if "masks" not in path.parts)
    session = open_calibrated(export, paths, threads)
    pixels = np.stack([read_image(path) for path in paths])[..., None]
    size = session.batch_size

    def run_engine():
        for start in range(0, len(pixels), size):
            session.engine.explain(pixels[start : start + size])
        return len(pixels)

    def inspect():
        out = work / "inspected"
        return inspect_images(session, paths, out, pictures="none", overwrite=True).images

    return {_ENGINE: run_engine, "`mscam inspect`, end to end": inspect}


def time_steps(steps: dict[str, Callable], rounds: int) -> dict[str, tuple[float, float]]:
    """Return the median seconds that each takes for an image, by the clock and of the processor.

    The first round warms up. On a machine that others use too, only the second number is steady.
    """
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in steps}
    for _ in range(rounds + 1):
        for name, step in steps.items():
            start = time.perf_counter(), time.process_time()
            count = step()
            end = time.perf_counter(), time.process_time()
            found[name].append(tuple((b - a) / count for a, b in zip(start, end, strict=True)))
    return {
        name: tuple(map(statistics.median, zip(*values[1:], strict=True)))
        for name, values in found.items()
    }


def time_pictures(count: int) -> float:
    """Return the seconds of the processor that a picture takes."""
    import numpy as np

    from mscam_tf.files import write_png
    from mscam_tf.plots import paint_overlay

    generator = np.random.default_rng(0)
    image, map_ = generator.random((256, 256)), generator.normal(size=(256, 256))
    start = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            picture = paint_overlay(image, map_, (-3, 3), [(20, 30, 60, 50)] * 5, "REJECT")
            write_png(Path(folder) / f"{number}.png", picture, compress_level=1)
    return (time.process_time() - start) / count


def measure_memory(work: Path, count: int) -> float:
    """Return the peak resident size of this process once it inspected so many images, in MB."""
    from mscam_tf.inspection import inspect_images

    paths = write_noise(work / f"small_{max(_LENGTHS)}", _SMALL, max(_LENGTHS))[:count]
    session = open_calibrated(work / "export", paths[:64], threads=1)
    out = work / f"inspected{count}"
    inspect_images(session, paths, out, pictures="none", overwrite=True)
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure_all(work: Path, export: Path, images: Path, rounds: int, threads: int) -> None:
    work.mkdir(parents=True, exist_ok=True)
    times = remember(
        work / f"times_{rounds}_{threads}.json",
        lambda: time_steps(make_steps(work, export, images, threads), rounds),
    )
    (clock, processor), module = times[_ENGINE], "benchmarks.speed.inspection"
    rows = [
        [name, f"{1 / one:.1f}", f"{clock / one:.3f}", f"{1e3 * two:.1f}", f"{processor / two:.3f}"]
        for name, (one, two) in times.items()
    ]
    export_tiny(work)
    write_noise(work / f"small_{max(_LENGTHS)}", _SMALL, max(_LENGTHS))
    peaks = [
        remember(
            work / f"memory_{count}.json",
            partial(run_apart, module, "--work", str(work), "--memory", str(count)),
        )
        for count in _LENGTHS
    ]
    peaks = [float(peak) for peak in peaks]
    write_page(
        "inspection",
        "The speed of inspection",
        "`mscam inspect` of the export that `python -m benchmarks.speed.exports` makes for ONNX "
        "Runtime: DenseNet-121 with four scales and three views, four classes, 256 x 256 pixels, "
        f"all maps; {threads} thread{'s' * (threads > 1)}, batches of 8. The engine alone takes "
        "images that are in memory. The inspection reads their PNG files, decides, finds regions, "
        "and writes Parquet files, without pictures; one image in twenty is rejected. Both take "
        f"turns in one process, {rounds} rounds, medians. The bar is 0.90 of the rate of the "
        "engine. Where others use the machine too, the processor's time is the steadier number.",
        [
            *("what", "images a second", "share of the engine's rate"),
            *("processor, ms an image", "share of the engine's rate, by the processor's time"),
        ],
        rows,
        f"--rounds {rounds} --threads {threads}",
        f"A picture of 256 x 256 pixels takes {1e3 * time_pictures(20):.0f} ms of the processor."
        "\n\nMemory: the peak resident size of a process that inspects a folder. The images are "
        f"small ({_SMALL} x {_SMALL}) and the network is tiny, so that this takes minutes and not "
        f"hours. The bar is a growth of at most 5 %; it is {100 * (peaks[1] / peaks[0] - 1):+.1f} "
        "%.\n\n"
        + make_table(
            ["images", "peak memory, MB"],
            [[f"{n:,}", f"{peak:.0f}"] for n, peak in zip(_LENGTHS, peaks, strict=True)],
        ),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=Path, default=Path("runs/inspection"))
    parser.add_argument(
        "--images",
        type=Path,
        default=Path("runs/exports/images"),
        help="what is inspected; by default what benchmarks.speed.exports made",
    )
    parser.add_argument(
        "--export",
        type=Path,
        default=Path("runs/exports/onnx"),
        help="what inspects; by default what benchmarks.speed.exports made",
    )
    parser.add_argument(
        "--memory",
        metavar="COUNT",
        type=int,
        help="measure the memory for so many images and print it: this benchmark calls itself so",
    )
    chosen = parser.parse_args()
    if chosen.memory is None:
        measure_all(chosen.work, chosen.export, chosen.images, chosen.rounds, chosen.threads)
    else:
        print(measure_memory(chosen.work, chosen.memory))


if __name__ == "__main__":
    main()
