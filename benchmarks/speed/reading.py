"""How many images a second does the input pipeline read, and in how much memory?"""

import argparse
import os
import resource
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.common.report import write_page
from benchmarks.common.timing import run_apart

_SIDE, _FILES, _PASSES = 256, 500, 3
_CASES = ((500, _SIDE), (5_000, _SIDE), (5_000, 224))


def write_files(folder: Path) -> None:
    """Write 16-bit PNG files: soft objects, and noise of 1 %, which leaves little to compress."""
    import numpy as np
    from PIL import Image

    generator = np.random.default_rng(0)
    y, x = np.mgrid[:_SIDE, :_SIDE] / _SIDE
    for number in range(_FILES):
        a, b = generator.uniform(1, 6, 2)
        clean = 20000 + 8000 * np.sin(a * x) + 6000 * np.cos(b * y)
        values = generator.normal(clean, 0.01 * clean).astype(np.uint16)
        Image.fromarray(values).save(folder / f"{number}.png")


def link_files(folder: Path, count: int) -> list[Path]:
    """Give the files more names, so that a large folder needs no more disk than a small one."""
    (folder / str(count)).mkdir(exist_ok=True)
    paths = [folder / str(count) / f"{number}.png" for number in range(count)]
    for number, path in enumerate(paths):
        if not path.exists():
            os.link(folder / f"{number % _FILES}.png", path)
    return paths


def measure(folder: Path, count: int, side: int) -> tuple[float, float, float]:
    """Return images a second, processor time an image in ms, and added memory in MB."""
    import mscam_tf

    paths = link_files(folder, count)
    dataset = mscam_tf.make_dataset(paths, [0] * count, (side, side), cache_bytes=0)
    for _ in dataset.take(2):  # Traces the pipeline.
        pass
    before, times = read_peak(), []
    processor = time.process_time()
    for _ in range(_PASSES):
        start = time.perf_counter()
        images = sum(len(labels) for _, labels in dataset)
        times.append(time.perf_counter() - start)
        assert images == count
    each = 1e3 * (time.process_time() - processor) / (_PASSES * count)
    return count / statistics.median(times), each, read_peak() - before


def read_peak() -> float:
    """Return the largest memory this process has had so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def measure_all() -> None:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        write_files(Path(folder))
        size = statistics.mean(path.stat().st_size for path in Path(folder).glob("*.png")) / 1e3
        for count, side in _CASES:
            line = run_apart("benchmarks.speed.reading", "--case", folder, str(count), str(side))
            rate, each, memory = map(float, line.split())
            cells = [f"{rate:.0f}", f"{each:.2f}", f"{memory:.0f}"]
            rows.append([f"{count:,}", f"{side} x {side}", *cells])
    count, decoded = _CASES[1][0], _CASES[1][0] * _SIDE**2 * 4 / 1e6
    write_page(
        "reading",
        "Images read a second",
        f"The input pipeline (`make_dataset`, batch 16, nothing kept between epochs) on 16-bit PNG "
        f"files of {_SIDE} x {_SIDE} pixels and {size:.0f} kB, from the disk cache, each case in a "
        f"process of its own, median of {_PASSES} passes. Memory is what the passes added to the "
        "largest size of the process after its first two batches: it does not grow with the "
        f"folder ({count:,} decoded images would fill {decoded:,.0f} MB). Other work on the "
        "machine lowers the rate, but hardly the processor time. The bar: 500 images a second on "
        "two cores.",
        [
            "images",
            "resized to",
            "images a second",
            "processor ms an image",
            "added memory, MB",
        ],
        rows,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--case",
        nargs=3,
        metavar=("FOLDER", "COUNT", "SIDE"),
        help="measure one case and print it: this benchmark calls itself so",
    )
    case = parser.parse_args().case
    if case is None:
        measure_all()
    else:
        print(*measure(Path(case[0]), int(case[1]), int(case[2])))


if __name__ == "__main__":
    main()
