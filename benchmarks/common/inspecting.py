"""Exports, and images for them to inspect."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path

SMALL = 64  # Side of the images of the export that costs nearly nothing.


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
    size = (SMALL, SMALL)
    config = mscam_tf.TrainConfig(image_size=size, backbone="Tiny", weights="none")
    run = create_run(work / "run", config, ["bone", "none"], "")
    mscam_tf.build_multiscale_classifier(2, size, backbone="Tiny").save(run.folder / "model.keras")
    write_operating_point(run, OperatingPoint({"bone": 0.0}, good="none"))
    images = write_noise(work / "few", SMALL, 4)
    mscam_tf.export_run(run, work / "export", "onnx", images=images)


def calibrate(export: Path, folder: Path, paths: list[Path]) -> Path:
    """Copy an export, unless it is there; one image in twenty reaches the thresholds of the copy.

    Those are of its score, and of its maps.
    """
    import numpy as np

    from mscam_tf.inspection import open_source
    from mscam_tf.runs import OperatingPoint, score_rejects

    if folder.exists():
        return folder
    session = open_source(export)
    found = list(session.explain(paths))
    names = session.task.class_names
    heights = np.quantile([one.maps.max((0, 1)) for one in found], 0.95, axis=0)
    scores = score_rejects(session.task, np.stack([one.logits for one in found]), "none")
    named = zip(names, heights.tolist(), strict=True)
    thresholds = {name: height for name, height in named if name != "none"}
    point = OperatingPoint(thresholds, float(np.quantile(scores, 0.95)), good="none")
    partial = Path(shutil.copytree(export, folder.with_suffix(".partial"), dirs_exist_ok=True))
    about = json.loads((partial / "export.json").read_text(encoding="utf-8"))
    about["operating_point"] = asdict(point)
    (partial / "export.json").write_text(json.dumps(about), encoding="utf-8")
    return partial.rename(folder)


def list_scans(images: Path) -> list[Path]:
    return sorted(path for path in images.rglob("*.png") if "masks" not in path.parts)


def copy_scans(images: Path, folder: Path, times: int) -> list[Path]:
    """Copy the images so many times, unless they are there: work for more than a moment."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in list_scans(images):
        for number in range(times):
            copy = folder / f"{path.stem}_{number}{path.suffix}"
            if not copy.exists():
                shutil.copy(path, copy)
    return sorted(folder.iterdir())
