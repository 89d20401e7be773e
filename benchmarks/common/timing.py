"""Measure times side by side, and memory in processes of their own."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def time_in_turns(
    steps: Mapping[Any, Callable[[], object]], rounds: int, warm_up: int
) -> dict[Any, float]:
    """Return the median time of each step, in seconds: all take turns, after some that warm up."""
    times: dict[Any, list[float]] = {name: [] for name in steps}
    for _ in range(rounds + warm_up):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values[warm_up:]) for name, values in times.items()}


def run_apart(module: str, *arguments: str, **environment: str) -> str:
    """Run a benchmark in a process of its own and return what it prints last."""
    result = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return result.stdout.strip().splitlines()[-1]


def read_peak_memory() -> float:
    """Return the peak resident size of this process, in MB, as Linux counts it."""
    # Not `getrusage`: its peak is handed down from the parent process.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
