"""How local contrast should be normalised: a filter without training on weld films.

mscam tile FILMS --boxes boxes.csv --masks masks --overlap 0.25 --empty 1 --out PATCHES
mscam relabel PATCHES --from boxes --thresholds 12.5,22 --out PATCHES/labels.csv
python -m benchmarks.transfer.local_contrast PATCHES/labels.csv
"""

import argparse
from pathlib import Path

import mscam_tf
from benchmarks.common.films import read_patches
from benchmarks.common.free_response import mark_films, share_by_size, share_found
from benchmarks.common.report import write_page
from mscam_tf.metrics import find_spots

_SIGMAS = (2.0, 3.0, 4.0, 6.0, 8.0, 12.0)
_FLOORS = (0.001, 0.002, 0.004, 0.008, 0.016)
_RELATIVE = (0.004, 0.02, 0.05)


def measure(patches, sigma: float, floor: float, relative: bool) -> list[str]:
    """Return a row of the table; a relative floor is in deviations of the image."""
    scales = patches.images.std((1, 2)) if relative else [1.0] * len(patches.images)
    maps = [
        find_spots(image, "dark", sigma, floor * scale)
        for image, scale in zip(patches.images, scales, strict=True)
    ]
    marks = mark_films(maps, patches.boxes, patches.films)
    by_size = " / ".join(f"{share:.2f}" for share in share_by_size(marks))
    unit = "deviations of the image" if relative else "of the range of grey"
    return [f"{sigma:g}", f"{floor:g} {unit}", f"{share_found(marks):.3f}", by_size]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labels", type=Path)
    arguments = parser.parse_args()
    patches = read_patches(mscam_tf.read_manifest(arguments.labels))
    cases = [(sigma, 0.004, False) for sigma in _SIGMAS]
    cases += [(4.0, floor, False) for floor in _FLOORS if floor != 0.004]
    cases += [(4.0, floor, True) for floor in _RELATIVE]
    write_page(
        "local_contrast",
        "Local contrast on weld films",
        f"{len(patches.names)} patches of 224 x 224 pixels of 7 films. A difference of Gaussians "
        "(2 and 8 pixels) of the image after local contrast normalisation "
        "(`d = x - G(x)`, `d / (sqrt(G(d^2)) + floor)`, clipped at 4) marks what is dark: nothing "
        "is learned. Share of the boxes with a mark at one false mark a patch, each film with a "
        "threshold of its own; by the box's side: below 12.5 pixels, below 22, above.",
        ["Gaussian G, pixels", "floor", "found", "by size"],
        [measure(patches, *case) for case in cases],
        arguments=f"PATCHES/{arguments.labels.name}",
    )


if __name__ == "__main__":
    main()
