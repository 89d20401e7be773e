"""Do tiles say what one pass over the whole frame says? The pretrained maps, at several tile sizes.

    python -m benchmarks.method.frames [FILM ...]

FILM is a real radiograph; of one with a mask of the same name in a folder `masks` beside its own,
the maps are scored too.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.common.report import write_page

_SIZE, _TILES, _BATCH = (512, 1024), (128, 256, 384), 8
_DEFECTS = ("void_small", "void_large", "crack")


@dataclass(frozen=True)
class Frame:
    """A frame, its pixels of objects or `None`, and the classes that these may have."""

    name: str
    image: np.ndarray
    mask: np.ndarray | None
    labels: tuple[str, ...]


class Network:
    """The pretrained classifier in two halves: what its channels see, and the maps of that."""

    def __init__(self) -> None:
        import keras

        import mscam_tf
        from mscam_tf.models import load_pretrained

        whole, known = mscam_tf.build_pretrained_classifier(), load_pretrained()
        self.names = list(known.targets)
        self._view = keras.Model(whole.input, whole.get_layer("channels").output)
        rest = mscam_tf.build_multiscale_classifier(
            len(known.targets),
            None,
            channels=3,
            backbone=known.architecture,
            scales=len(known.kernels),
            pooling=known.pooling,
            standardize=False,
            views=["global"],
        )
        rest.set_weights(whole.get_weights())
        self._explain = mscam_tf.build_explainer(rest, activation="sigmoid")
        image = np.random.default_rng(0).random((1, 64, 64, 1), np.float32)
        halves = self._explain(self._view(image))["logits"]
        np.testing.assert_allclose(halves, whole(image), rtol=1e-3, atol=1e-3)

    def view(self, images: np.ndarray) -> np.ndarray:
        """Return what the channels see of images `(n, H, W, 1)`."""
        return np.asarray(self._view(images))

    def explain(self, seen: np.ndarray) -> np.ndarray:
        """Return the maps `(n, H, W, C)` of what is seen, a batch after the other."""
        parts = [seen[i : i + _BATCH] for i in range(0, len(seen), _BATCH)]
        return np.concatenate([np.asarray(self._explain(part)["maps"]) for part in parts])


def list_frames(frames: int, films: list[Path], seed: int) -> Iterator[Frame]:
    import mscam_tf
    from mscam_tf.data.reading import read_mask
    from mscam_tf.simulation import SimulationConfig, simulate_frame

    for number in range(frames):
        generator = np.random.default_rng([seed, number])
        made = simulate_frame(SimulationConfig(image_size=_SIZE), 8, generator)
        image = (made.image / np.iinfo(made.image.dtype).max).astype(np.float32)
        yield Frame(f"simulated {number + 1}", image, made.mask > 0, ("bone",))
    for path in films:
        image = mscam_tf.read_image(path)
        left = max(0, (image.shape[1] - _SIZE[1]) // 2)
        part = (slice(_SIZE[0]), slice(left, left + _SIZE[1]))
        mask = path.parents[1] / "masks" / path.name
        there = read_mask(mask)[part] > 0 if mask.is_file() else None
        yield Frame(f"film {path.stem}", image[part], there, _DEFECTS)


def cut(values: np.ndarray, side: int) -> list[tuple[int, int, np.ndarray]]:
    """Cut a frame, or what is seen of it, as `mscam inspect --frames` does."""
    from mscam_tf.data.reading import Strips
    from mscam_tf.inspection import Framing, cut_tiles

    tile, overlap = (side, side), Framing().overlap
    planes = values[..., None] if values.ndim == 2 else values
    channels = [
        list(cut_tiles(Strips(plane.shape, iter([plane])), tile, overlap))
        for plane in np.moveaxis(planes, -1, 0)
    ]
    tiles = zip(*channels, strict=True)
    return [(one[0][0], one[0][1], np.stack([p for _, _, p in one], -1)) for one in tiles]


def compare(frame: Frame, network: Network) -> Iterator[list[str]]:
    """Give a row of the whole frame, and of tiles of each size, seen by themselves and alike."""
    from mscam_tf.inspection import blend_tiles

    seen = network.view(frame.image[None, ..., None])[0]
    whole = network.explain(seen[None])[0]
    span = whole.max((0, 1)) - whole.min((0, 1))
    chosen = [network.names.index(name) for name in frame.labels]
    yield [frame.name, "one pass", "", "", "", score(frame, whole[..., chosen])]
    for side in [side for side in _TILES if side <= min(whole.shape[:2])]:
        for alike in (False, True):
            tiles = cut(seen if alike else frame.image, side)
            pixels = np.stack([tile for _, _, tile in tiles])
            maps = network.explain(pixels if alike else network.view(pixels))
            placed = [(x, y, one) for (x, y, _), one in zip(tiles, maps, strict=True)]
            blended = np.concatenate(list(blend_tiles(placed, whole.shape[:2], (side, side))))
            middles = [difference(x, y, one, whole) / span for x, y, one in placed]
            middle = np.concatenate([one.reshape(-1, len(span)) for one in middles])
            error = np.abs(blended - whole) / span
            cells = [describe(error), describe(middle), score(frame, blended[..., chosen])]
            how = "of the whole frame" if alike else "of each tile"
            yield [frame.name, f"{side} x {side}", how, *cells]


def difference(x: int, y: int, maps: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return how far a tile is off in its middle, a quarter of its side away from its borders."""
    quarter = len(maps) // 4
    part = slice(quarter, len(maps) - quarter)
    there = whole[y : y + len(maps), x : x + len(maps)]
    return np.abs(maps[part, part] - there[part, part])


def describe(errors: np.ndarray) -> str:
    """Say the median, and that which 99 % of all are below."""
    return " / ".join(f"{value:.4f}" for value in np.percentile(errors, [50, 99]))


def score(frame: Frame, maps: np.ndarray) -> str:
    import mscam_tf

    if frame.mask is None or not frame.mask.any():
        return ""
    precision, prevalence = mscam_tf.pixel_average_precision(maps.max(-1)[None], frame.mask[None])
    return f"{precision:.3f} ({prevalence:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("films", metavar="FILM", nargs="*", type=Path)
    parser.add_argument("--frames", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    network = Network()
    frames = list_frames(arguments.frames, arguments.films, arguments.seed)
    rows = []
    for frame in frames:
        for row in compare(frame, network):
            print(*row, flush=True)
            rows.append(row)
    write_page(
        "frames",
        "Do tiles say what one pass over the frame says?",
        f"Maps of the pretrained classifier on simulated frames of {_SIZE[0]} x {_SIZE[1]} pixels, "
        "and on parts of that size of films: in one pass over the whole frame, and of tiles that "
        "overlap by a quarter and are blended, as `mscam inspect --frames` does. "
        "What the network sees, the standardised image and its local contrast, is taken of each "
        "tile by itself, as in the training, or of the whole frame at once, before it is cut. "
        "Differences are of all ten maps, as a share of the range of each over the frame: "
        "the median, and what 99 % of all are below; of the blended maps, and of single tiles in "
        "their middle, a quarter of their side away from their borders. The last column is the "
        "average precision of pixels of the map of `bone` (on films of the highest of voids and "
        "cracks), behind it the "
        "share of pixels that are in objects, which is that of a map that says nothing.",
        ["frame", "tiles", "seen", "difference, blended", "in the middle", "average precision"],
        rows,
        " ".join([*(p.name for p in arguments.films), f"--frames {arguments.frames}",
                  f"--seed {arguments.seed}"]),
    )  # fmt: skip


if __name__ == "__main__":
    main()
