"""How close is the simulator to reality? Train on it alone, and score on real radiographs.

    python -m benchmarks.simulation.simulation_reality FOLDER

FOLDER holds real crops in the folders `none` and `bone`, such as the fish bones of GDXray. What is
finished stays in `runs/simulation_reality`, so that a run that was stopped goes on where it was.
"""

import argparse
import json
from pathlib import Path

from benchmarks.common.report import write_page

_SIDE = 128


def train_on_simulation(folder: Path, images: int, epochs: int, seed: int):
    import mscam_tf
    from mscam_tf.simulation import Plan, SimulationConfig, write_radiographs

    if not (folder / "run" / "model.keras").exists():
        config = SimulationConfig(image_size=(_SIDE, _SIDE))
        plan = Plan(images, config, labels="binary", seed=seed)
        data = write_radiographs(folder / "data", plan, processes=2)
        settings = mscam_tf.TrainConfig(
            map_weight=0,  # Labels alone.
            weights=None,
            image_size=(_SIDE, _SIDE),
            epochs=epochs,
            batch_size=32,
            learning_rate=1e-3,
            seed=seed,
        )
        manifest = mscam_tf.read_manifest(data)
        mscam_tf.train(manifest, folder / "run", settings, overwrite=True)
    return mscam_tf.open_run(folder / "run")


def score(run, real: Path, folder: Path) -> dict[str, dict[str, float]]:
    import mscam_tf

    simulated = mscam_tf.select_samples(run, mscam_tf.read_manifest(Path(run.data)), "test")
    mscam_tf.evaluate(run, simulated, folder / "simulated", split="test")
    mscam_tf.evaluate(run, mscam_tf.read_manifest(real), folder / "real")
    return {
        name: json.loads((folder / name / "metrics.json").read_text())["metrics"]
        for name in ("simulated", "real")
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=7500)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--work", type=Path, default=Path("runs/simulation_reality"))
    arguments = parser.parse_args()
    rows = []
    for seed in range(arguments.seeds):
        folder = arguments.work / f"{arguments.images}x{arguments.epochs}_seed{seed}"
        run = train_on_simulation(folder, arguments.images, arguments.epochs, seed)
        for data, metrics in score(run, arguments.folder, folder).items():
            rows.append([seed, data, *(_describe(metrics[n]) for n in ("auroc", "accuracy"))])
    write_page(
        "simulation_reality",
        "Trained on simulation alone, scored on real radiographs",
        f"The multi-scale DenseNet-121, from scratch, trained by `mscam_tf.train` for "
        f"{arguments.epochs} epochs on {arguments.images} simulated patches of {_SIDE} x {_SIDE} "
        "pixels (70 % of them for training; two classes, none and bone), then scored on real crops "
        "that no training saw, at the model's own threshold of 0.5. `simulated` is the test split "
        "of the simulation. 95 % bootstrap intervals.",
        ["seed", "scored on", "AUROC", "accuracy"],
        rows,
        arguments=f"{arguments.folder.name} --images {arguments.images} "
        f"--epochs {arguments.epochs} --seeds {arguments.seeds}",
    )


def _describe(values: dict[str, float]) -> str:
    return "{value:.3f} [{low:.3f}, {high:.3f}]".format(**values)


if __name__ == "__main__":
    main()
