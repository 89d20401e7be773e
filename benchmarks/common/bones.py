"""A classifier of simulated bones that has learnt from the labels of images alone."""

from pathlib import Path

from benchmarks.common.data import make_data

SIDE, TRAINING, TESTS = 128, 600, 400
SETTINGS = {"epochs": 4, "batch_size": 16}


def train(folder: Path, model: str, weights: str, seed: int):
    """Train with image labels alone, `bone` or `none`, unless the run is there."""
    import mscam_tf
    from mscam_tf.models import parse_weights

    run = folder / f"{model}_{parse_weights(weights).name}_seed{seed}"
    if not (run / "model.keras").exists():
        data = make_data(folder / f"training{seed}", TRAINING, seed)
        manifest = mscam_tf.label_binary(mscam_tf.read_manifest(data), ("none", "bone"))
        config = mscam_tf.TrainConfig(
            model=model,
            weights=weights,
            image_size=(SIDE, SIDE),
            map_weight=0,  # Labels alone.
            seed=seed,
            **SETTINGS,
        )
        mscam_tf.train(manifest, run, config, overwrite=True)
    return mscam_tf.open_run(run)


def make_tests(folder: Path) -> Path:
    """Simulate the radiographs that all of them are scored on, unless they are there."""
    return make_data(folder / "tests", TESTS, seed=10**6)
