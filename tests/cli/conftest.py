import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def data(tmp_path):
    """Write ten noise images in two classes."""
    noise = np.random.default_rng(0).integers(0, 255, (10, 40, 40)).astype(np.uint8)
    for number, pixels in enumerate(noise):
        folder = tmp_path / "data" / ("none", "bone")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return tmp_path / "data"
