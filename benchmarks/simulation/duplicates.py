"""Which copies of an image are found, and how many originals are mistaken for copies?

    python -m benchmarks.simulation.duplicates FOLDER

FOLDER holds images without copies among them.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.stats import binomtest

from benchmarks.common.report import write_page
from mscam_tf.data.checking import Fingerprint, find_duplicates, take_fingerprint
from mscam_tf.data.manifests import list_files, read_manifest
from mscam_tf.data.reading import read_image
from mscam_tf.simulation import Plan, SimulationConfig, write_radiographs

Change = Callable[[np.ndarray], np.ndarray]
_GROUPS = 20  # Of bones in a whole fillet.
_GENERATOR = np.random.default_rng(0)


def _shrink(image: np.ndarray) -> np.ndarray:
    height, width = image.shape
    size = (width // 2, height // 2)
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))


def _add_noise(image: np.ndarray) -> np.ndarray:
    return image + _GENERATOR.normal(0, 3, image.shape)


_KINDS: dict[str, tuple[Change, int | None]] = {
    "flipped left to right": (np.fliplr, None),
    "flipped upside down": (np.flipud, None),
    "rotated by 90 degrees": (np.rot90, None),
    "rotated by 180 degrees": (lambda image: np.rot90(image, 2), None),
    "transposed": (np.transpose, None),
    "JPEG, quality 90": (lambda image: image, 90),
    "rotated by 180 degrees, JPEG, quality 75": (lambda image: np.rot90(image, 2), 75),
    "transposed, JPEG, quality 50": (np.transpose, 50),
    "JPEG, quality 30": (lambda image: image, 30),
    "contrast 0.8, 10 levels brighter": (lambda image: 0.8 * image + 10, None),
    "gamma 0.7": (lambda image: 255 * (image / 255) ** 0.7, None),
    "negative": (lambda image: 255 - image, None),
    "noise of 3 levels": (_add_noise, None),
    "half the size": (_shrink, None),
    "two rows and columns cut off": (lambda image: image[2:, 2:], None),
}


def find_copies(
    originals: list[Fingerprint], images: list[np.ndarray], change: Change, quality: int | None
) -> tuple[int, int]:
    """Return how many of the copies are found, and how many wrong pairs."""
    copies = []
    with tempfile.TemporaryDirectory() as folder:
        for number, image in enumerate(images):
            pixels = np.clip(np.round(change(image)), 0, 255).astype(np.uint8)
            path = Path(folder) / f"{number}.{'jpg' if quality else 'png'}"
            options = {"quality": quality} if quality else {}
            Image.fromarray(np.ascontiguousarray(pixels)).save(path, **options)
            copies.append(take_fingerprint(path))
    pairs = {(pair.first, pair.second) for pair in find_duplicates(originals + copies)}
    right = {(index, index + len(images)) for index in range(len(images))}
    return len(pairs & right), len(pairs - right)


def simulate(plan: Plan) -> Iterator[Path]:
    """Yield the files of simulated radiographs, which are there until the last was taken."""
    with tempfile.TemporaryDirectory() as folder:
        yield from read_manifest(write_radiographs(folder, plan, processes=2)).paths


def read_8_bits(path: Path) -> np.ndarray:
    """Return the image of a file in 8 bits."""
    return np.round(read_image(path) * 255).astype(np.uint8)


def compare(paths: Iterable[Path], name: str) -> list[list[object]]:
    """Return the rows of originals alone, and of one copy of each of them."""
    taken = [(take_fingerprint(path), read_8_bits(path)) for path in paths]
    originals, images = [one for one, _ in taken], [image for _, image in taken]
    count = len(taken)
    rows: list[list[object]] = [[f"none: {name}", "", "", len(find_duplicates(originals))]]
    for kind, (change, quality) in _KINDS.items():
        found, wrong = find_copies(originals, images, change, quality)
        rows.append([kind, f"{found} of {count}", tell_share(found, count), wrong])
    return rows


def tell_share(found: int, total: int) -> str:
    """Return a share with its exact interval of 95 %."""
    low, high = binomtest(found, total).proportion_ci()
    return f"{found / total:.3f} [{low:.3f}, {high:.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--simulated", type=int, default=10_000, help="Patches without copies.")
    parser.add_argument("--frames", type=int, default=0, help="Whole fillets, for more rows.")
    parser.add_argument("--seed", type=int, default=3, help="Not 1 or 2: see the page.")
    arguments = parser.parse_args()
    folder = arguments.folder
    paths = list_files(folder)
    start = time.perf_counter()
    find_duplicates([take_fingerprint(path) for path in paths])
    seconds = time.perf_counter() - start
    patches = Plan(
        arguments.simulated, SimulationConfig(image_size=(128, 128)), seed=arguments.seed
    )
    alarms = len(find_duplicates([take_fingerprint(path) for path in simulate(patches)]))
    rows = compare(paths, "the originals alone")
    rows.insert(1, [f"none: {arguments.simulated} simulated patches", "", "", alarms])
    if arguments.frames:
        config = SimulationConfig(image_size=(512, 1024), pixel_pitch=1.0)
        fillets = Plan(arguments.frames, config, seed=arguments.seed, frame_groups=_GROUPS)
        rows += compare(simulate(fillets), f"{arguments.frames} simulated whole fillets alone")
    write_page(
        "duplicates",
        "Copies that `mscam check` finds",
        f"One copy of each of {len(paths)} images of a folder (`{folder.name}`, given as an "
        "argument; the figures depend on it), brought to 8 bits. A wrong pair is one of two images "
        f"of which neither was made from the other. Checking the {len(paths)} originals took "
        f"{seconds:.1f} s. The simulated patches have 128 x 128 pixels and seed {arguments.seed}; "
        "the thresholds were chosen on seeds 1 and 2.",
        ["kind of copy", "found", "share, 95 %", "wrong pairs"],
        rows,
        arguments=folder.name,
    )


if __name__ == "__main__":
    main()
