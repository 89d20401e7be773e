"""How many radiographs, and scenes for pretraining, a second does the simulator make?"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.common.report import write_page
from mscam_tf.simulation import Plan, SimulationConfig, stream_batches, write_radiographs

_ROUNDS = 3
_BATCHES = 10
_CASES = [
    ("patches 128 x 128", 200, (128, 128), None),
    ("patches 256 x 256", 200, (256, 256), None),
    ("frames 2048 x 4096, 20 groups of bones", 4, (2048, 4096), 20),
]


def measure(images: int, size: tuple[int, int], groups: int | None, processes: int) -> float:
    """Return images a second, written to disk, processes started included."""
    rates = []
    for seed in range(_ROUNDS):
        plan = Plan(images, SimulationConfig(image_size=size), frame_groups=groups, seed=seed)
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            write_radiographs(Path(folder), plan, processes=processes)
            rates.append(images / (time.perf_counter() - start))
    return statistics.median(rates)


def measure_scenes(side: int, processes: int) -> float:
    """Return scenes for pretraining a second, in batches of 32, the first batch not counted."""
    rates = []
    for seed in range(_ROUNDS):
        batches = stream_batches((side, side), 32, 4, seed, 0, processes if processes > 1 else 0)
        next(batches)
        start = time.perf_counter()
        for _ in range(_BATCHES):
            next(batches)
        rates.append(32 * _BATCHES / (time.perf_counter() - start))
        batches.close()
    return statistics.median(rates)


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    cores = os.cpu_count() or 1
    rows = [
        [title, *(f"{measure(images, size, groups, count):.2f}" for count in (1, cores))]
        for title, images, size, groups in _CASES
    ]
    rows += [
        [
            f"scenes {side} x {side}, not written",
            *(f"{measure_scenes(side, count):.2f}" for count in (1, cores)),
        ]
        for side in (128, 192)
    ]
    write_page(
        "simulation_speed",
        "Simulated radiographs a second",
        "`write_radiographs`, 16-bit PNG and masks written to disk, the start of the processes "
        f"included; median of {_ROUNDS} rounds.",
        ["what", "one process", f"{cores} processes"],
        rows,
    )


if __name__ == "__main__":
    main()
