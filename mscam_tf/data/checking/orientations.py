"""The eight ways to turn and flip an image by right angles."""

import numpy as np

ORIENTATIONS = (
    "as it is",
    "rotated by 90 degrees",
    "rotated by 180 degrees",
    "rotated by 270 degrees",
    "flipped left to right",
    "flipped left to right, rotated by 90 degrees",
    "flipped left to right, rotated by 180 degrees",
    "flipped left to right, rotated by 270 degrees",
)


def turn_images(images: np.ndarray) -> list[np.ndarray]:
    """Return the images `(..., H, W)` in all orientations, in the order of `ORIENTATIONS`."""
    return [
        np.rot90(seen, quarters, axes=(-2, -1))
        for seen in (images, images[..., ::-1])
        for quarters in range(4)
    ]
