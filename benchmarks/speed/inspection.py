"""How fast are folders inspected, against the engine alone and by two workers? Does memory grow?

Time: an export runs batches that are in memory, and inspects the same images from files, in turns
in one process; then one worker on one core, and two on two. Memory: the resident size of processes
that inspect folders of two lengths. Latency: files are written into a folder that is watched.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.common.inspecting import (
    SMALL,
    calibrate,
    copy_scans,
    export_tiny,
    list_scans,
    write_noise,
)
from benchmarks.common.report import make_table, write_page
from benchmarks.common.timing import read_peak_memory, run_apart
from benchmarks.common.watching import say_watching, time_watching
from benchmarks.common.work import remember

_LENGTHS = (1_000, 10_000)
_WATCHED, _INTERVAL = 80, 1.0  # Images, and seconds between them.
_COPIES = 8  # Of each image: a few would measure how an inspection begins and ends.
_ENGINE, _MODULE = "the engine alone", "benchmarks.speed.inspection"


def make_steps(work: Path, export: Path, images: Path, threads: int) -> dict[str, Callable]:
    """Return what takes turns: the engine on images in memory, and an inspection of their files."""
    import numpy as np

    from mscam_tf.data.reading import read_image
    from mscam_tf.inspection import inspect_images, open_source

    calibrated = calibrate(export, work / "calibrated", list_scans(images))
    session = open_source(calibrated, threads=threads)
    paths = copy_scans(images, work / "copies", _COPIES)
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
    from mscam_tf.inspection import Source, inspect_images

    paths = write_noise(work / f"small_{max(_LENGTHS)}", SMALL, max(_LENGTHS))[:count]
    source = Source(calibrate(work / "export", work / "calibrated_tiny", paths[:64]), threads=1)
    inspect_images(source, paths, work / f"inspected{count}", pictures="none", overwrite=True)
    return read_peak_memory()


def measure_workers(work: Path, images: Path, count: int) -> float:
    """Return the images a second that workers inspect, each with a core and a thread."""
    from mscam_tf.inspection import Source, inspect_images

    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])
    source = Source(work / "calibrated", threads=1)
    paths = copy_scans(images, work / "copies", _COPIES)
    options = {"pictures": "none", "overwrite": True, "workers": count}
    summary = inspect_images(source, paths, work / f"inspected_by{count}", **options)
    return summary.inspected / summary.seconds


def compare_workers(work: Path, images: Path, rounds: int) -> list[float]:
    """Return the median images a second of one worker, and of two: they take turns."""
    arguments = ("--work", str(work), "--images", str(images), "--workers")
    found = [
        [float(run_apart(_MODULE, *arguments, count)) for count in ("1", "2")]
        for _ in range(rounds)
    ]
    return [statistics.median(rates) for rates in zip(*found, strict=True)]


def watch(work: Path, images: Path, threads: int) -> tuple[list[float], list[float]]:
    """Return how long after they are complete images have a verdict, and a row."""
    paths = copy_scans(images, work / "copies", _COPIES)[:_WATCHED]
    with tempfile.TemporaryDirectory() as folder:
        return time_watching(work / "calibrated", paths, Path(folder), _INTERVAL, threads)


def measure_all(work: Path, export: Path, images: Path, rounds: int, threads: int) -> None:
    work.mkdir(parents=True, exist_ok=True)
    times = remember(
        work / f"times_{rounds}_{threads}.json",
        lambda: time_steps(make_steps(work, export, images, threads), rounds),
    )
    clock, processor = times[_ENGINE]
    rows = [
        [name, f"{1 / one:.1f}", f"{clock / one:.3f}", f"{1e3 * two:.1f}", f"{processor / two:.3f}"]
        for name, (one, two) in times.items()
    ]
    one, two = remember(
        work / f"workers_{rounds}.json", partial(compare_workers, work, images, rounds)
    )
    latencies = remember(work / f"watched_{threads}.json", partial(watch, work, images, threads))
    export_tiny(work)
    write_noise(work / f"small_{max(_LENGTHS)}", SMALL, max(_LENGTHS))
    peaks = [
        remember(
            work / f"memory_{count}.json",
            partial(run_apart, _MODULE, "--work", str(work), "--memory", str(count)),
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
        f"\n\nWorkers, a core and a thread each: one inspects {one:.1f} images a second, two "
        f"(`--workers 2`) {two:.1f}: {two / one / 2:.3f} of twice as many. The bar is 0.90. "
        "Opening the export is not counted.\n\n"
        + say_watching(latencies, _INTERVAL, threads)
        + "\n\nMemory: the peak resident size of a process that inspects a folder. The images are "
        f"small ({SMALL} x {SMALL}) and the network is tiny, so that this takes minutes and not "
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
    parser.add_argument(
        "--workers", metavar="COUNT", type=int, help="as --memory: measure the rate of workers"
    )
    chosen = parser.parse_args()
    if chosen.memory is not None:
        print(measure_memory(chosen.work, chosen.memory))
    elif chosen.workers is not None:
        print(measure_workers(chosen.work, chosen.images, chosen.workers))
    else:
        measure_all(chosen.work, chosen.export, chosen.images, chosen.rounds, chosen.threads)


if __name__ == "__main__":
    main()
