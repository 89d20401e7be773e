"""Draw the pictures of the page on the simulator; with real crops, both side by side.

    python -m benchmarks.simulation.simulation_pictures [--real FOLDER]

FOLDER holds real crops in one folder per class. The picture with them is written to
`runs/simulation_pictures`, which is not part of the project.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import mscam_tf
from benchmarks.common.report import RESULTS
from mscam_tf.plots import plot_contact_sheet, save_figure
from mscam_tf.simulation import (
    CARRIERS,
    CLASS_NAMES,
    SimulationConfig,
    simulate_frame,
    simulate_radiograph,
    simulate_scene,
)

_IMAGES = RESULTS.parent / "images"
_COUNT = 10


def simulate_rows(side: int, count: int) -> list[tuple[str, list[np.ndarray]]]:
    """One row for each class; the fillets are the same in each row."""
    config = SimulationConfig(image_size=(side, side))
    return [
        (
            f"simulated: {label}",
            [
                simulate_radiograph(label, config, np.random.default_rng([7, i])).image / 65535
                for i in range(count)
            ],
        )
        for label in CLASS_NAMES
    ]


def read_rows(folder: Path) -> list[tuple[str, list[np.ndarray]]]:
    rows = []
    for label in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = sorted(label.iterdir())
        chosen = np.random.default_rng(0).choice(len(files), _COUNT, replace=False)
        rows.append((f"real: {label.name}", [mscam_tf.read_image(files[i]) for i in chosen]))
    return rows


def draw_scenes() -> Figure:
    """For each carrier some scenes with objects, and beneath them the objects' masks."""
    scenes = [simulate_scene((128, 128), np.random.default_rng([5, i])) for i in range(200)]
    rows = []
    for carrier in CARRIERS:
        found = [s for s in scenes if s.carrier == carrier and s.masks][:_COUNT]
        rows.append((carrier, [scene.image for scene in found]))
        masks = [np.any(list(scene.masks.values()), axis=0) for scene in found]
        rows.append(("", [mask.astype(np.float32) for mask in masks]))
    return plot_contact_sheet(rows)


def draw_frame() -> Figure:
    """A whole fillet, and the boxes of its bones in a colour for each size class."""
    config = SimulationConfig(image_size=(512, 1024), pixel_pitch=0.5)
    frame = simulate_frame(config, 14, np.random.default_rng(1))
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    axis = figure.subplots()
    axis.imshow(frame.image, cmap="gray")
    axis.axis("off")
    colors = dict(zip(CLASS_NAMES[1:], ("cyan", "yellow", "red"), strict=True))
    for bone, (x_min, y_min, x_max, y_max) in zip(frame.bones, frame.boxes, strict=True):
        size = (x_max - x_min, y_max - y_min)
        color = colors[bone.size_class]
        axis.add_patch(Rectangle((x_min, y_min), *size, fill=False, color=color, linewidth=0.6))
    axis.legend([Rectangle((0, 0), 1, 1, color=color) for color in colors.values()], colors)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", type=Path)
    real = parser.parse_args().real
    save_figure(plot_contact_sheet(simulate_rows(256, 6)), _IMAGES / "simulated_patches.png")
    save_figure(draw_frame(), _IMAGES / "simulated_frame.png")
    save_figure(draw_scenes(), _IMAGES / "scenes.png")
    if real is not None:
        rows = [*read_rows(real), *simulate_rows(128, _COUNT)]
        save_figure(plot_contact_sheet(rows), Path("runs/simulation_pictures/side_by_side.png"))


if __name__ == "__main__":
    main()
