"""Write a page of results, with the command that made it and the machine it ran on."""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

RESULTS = Path(__file__).parents[2] / "docs" / "results"
_PACKAGES = ("mscam-tf", "keras", "tensorflow", "jax", "numpy")


def write_page(
    name: str,
    title: str,
    text: str,
    header: Sequence[str],
    rows: Sequence[Sequence[object]],
    arguments: str = "",
    more: str = "",
) -> Path:
    """Write `docs/results/NAME.md`: a title, what was done, a table, more, and how to repeat it."""
    lines = [f"# {title}", "", text.strip(), "", make_table(header, rows)]
    lines += ["", more] if more else []
    command = f"python -m {sys.modules['__main__'].__spec__.name} {arguments}".strip()
    lines += ["", f"Made by `{command}` with {_describe_versions()}, on {_describe_machine()}.", ""]
    path = RESULTS / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))
    return path


def make_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table."""
    return "\n".join(_row(row) for row in [header, ["---"] * len(header), *rows])


def describe_mean(values: np.ndarray) -> str:
    """Say mean and standard deviation over the seeds."""
    return f"{values.mean():.3f} ± {values.std(ddof=1):.3f}"


def describe_difference(differences: np.ndarray) -> str:
    """Say the mean of paired differences, and its 95 % interval."""
    from mscam_tf.experiments import pair_interval

    low, high = pair_interval(differences)
    return f"{differences.mean():+.3f} [{low:+.3f}, {high:+.3f}]"


def name_files(paths: Sequence[str]) -> str:
    """Name paths for a page: each file and its folder, wherever these lie."""
    return " ".join("/".join(Path(path).parts[-2:]) for path in paths)


def remember(path: Path, measure: Callable[[], Any]) -> Any:
    """Return what is in a JSON file; measure it and write it there where there is none yet."""
    from mscam_tf.files import write_json

    if not path.exists():
        write_json(path, measure())
    return json.loads(path.read_text(encoding="utf-8"))


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
    """Run a module of this folder in a process of its own and return what it prints last."""
    result = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return result.stdout.strip().splitlines()[-1]


def _row(cells: Sequence[object]) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _describe_versions() -> str:
    found = []
    for package in _PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except ModuleNotFoundError:
            continue
    return f"Python {platform.python_version()}, {', '.join(found)}"


def _describe_machine() -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores of {_read_processor()}"


def _read_processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        return names[0]
    except (OSError, IndexError):
        return platform.processor() or platform.machine()
