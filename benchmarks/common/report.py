"""Write a page of results, with the command that made it and the machine it ran on."""

import os
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

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
    """Write `docs/results/NAME.md`: a title, what was done, a table, more, and how to repeat it.

    Notes that were written below the page by hand stay.
    """
    lines = [f"# {title}", "", text.strip(), "", make_table(header, rows)]
    lines += ["", more] if more else []
    command = f"python -m {_name_module()} {arguments}".strip()
    lines += ["", f"Made by `{command}` with {_describe_versions()}, on {_describe_machine()}.", ""]
    path = RESULTS / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + _read_notes(path), encoding="utf-8")
    print("\n".join(lines))
    return path


def _read_notes(path: Path) -> str:
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    _, mark, notes = text.partition("\n## Notes\n")
    return mark + notes


def _name_module() -> str:
    """Name the module that runs, as `python -m` takes it."""
    spec = sys.modules["__main__"].__spec__
    return spec.name if spec else Path(sys.argv[0]).stem


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
