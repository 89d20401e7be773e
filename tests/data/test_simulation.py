import numpy as np
import pytest

from mscam_tf import read_image, read_manifest
from mscam_tf.data.simulation import simulate_radiograph, write_radiographs


def measure_excess(label, seed):
    """Return how far the brightest thin structures stand out of their surroundings."""
    from scipy.ndimage import gaussian_filter

    image = simulate_radiograph(label, (96, 96), np.random.default_rng(seed)) / 65535
    detail = gaussian_filter(image, 1) - gaussian_filter(image, 6)
    return np.percentile(detail, 99.5)


def test_bones_stand_out_and_thick_ones_more():
    excess = {
        label: np.median([measure_excess(label, seed) for seed in range(12)])
        for label in ("none", "thin", "thick")
    }
    assert excess["thick"] > 1.5 * excess["thin"] > 1.5 * 1.3 * excess["none"]


def test_same_seed_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_radiographs(tmp_path / name, 6, (40, 48), seed=5)
    write_radiographs(tmp_path / "c", 6, (40, 48), seed=6)
    contents = {
        name: [path.read_bytes() for path in sorted((tmp_path / name).rglob("*.png"))]
        for name in "abc"
    }
    assert contents["a"] == contents["b"] != contents["c"]


def test_written_set_is_readable_and_balanced(tmp_path):
    manifest = read_manifest(write_radiographs(tmp_path, 9, (40, 48)))
    labels = [sample.label for sample in manifest.samples]
    assert labels == ["none"] * 3 + ["thick"] * 3 + ["thin"] * 3
    image = read_image(manifest.paths[0])
    assert image.shape == (40, 48)
    assert len(np.unique(image)) > 256  # More levels than eight bits have.


def test_wrong_label():
    with pytest.raises(ValueError, match=r"`label` must be one of .* Received: label='rib'"):
        simulate_radiograph("rib", (8, 8), np.random.default_rng(0))
