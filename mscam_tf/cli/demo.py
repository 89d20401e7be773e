"""The command `mscam demo`."""

from pathlib import Path
from typing import Annotated

import typer

from mscam_tf.cli.console import (
    OVERWRITE,
    explain_errors,
)
from mscam_tf.cli.evaluate import evaluate_with_progress
from mscam_tf.cli.explain import explain_with_progress
from mscam_tf.cli.train import train_with_progress


def demo(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write.")] = (
        Path("demo")
    ),
    overwrite: OVERWRITE = False,
) -> None:
    """Show it all in a few minutes: simulate radiographs, train on them, score, and draw maps.

    The training starts from the weights that come with the package.
    """
    with explain_errors():
        run_demo(out, overwrite=overwrite)


def run_demo(out: Path, *, images: int = 200, epochs: int = 5, overwrite: bool = False) -> None:
    """Simulate, train, score and explain, each in a folder of its own below `out`."""
    from mscam_tf.data.manifests import read_manifest
    from mscam_tf.explanation import EXPLANATION_FOLDER
    from mscam_tf.folders import write_whole_folder
    from mscam_tf.outputs import claim
    from mscam_tf.runs import RUN_FOLDER, TrainConfig
    from mscam_tf.simulation import SIMULATION_FOLDER, Plan, SimulationConfig, write_radiographs

    claim(out / "run", RUN_FOLDER, overwrite=overwrite)
    claim(out / "maps", EXPLANATION_FOLDER, overwrite=overwrite)
    data = out / "simulated_radiographs"
    claim(data, SIMULATION_FOLDER, overwrite=overwrite)
    patch = SimulationConfig(image_size=(128, 128), difficulty=0.3)
    with write_whole_folder(data, SIMULATION_FOLDER.entries) as partial:
        write_radiographs(partial, Plan(images, patch))
    config = TrainConfig(epochs=epochs, patience=epochs, map_weight=0)  # Labels alone.
    run = train_with_progress(data, out / "run", config, overwrite=overwrite)
    evaluate_with_progress(run, data, "test", run.folder)
    test = read_manifest(run.split_file).select("test")
    paths = [data / sample.path for sample in test.samples[::2]]
    explain_with_progress(run, paths, out / "maps", overwrite=overwrite)
