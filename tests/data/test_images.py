import numpy as np
import pytest
from PIL import Image

from mscam_tf import ImageError, read_image
from mscam_tf.data.images import check_images


def save(path, values, **options):
    Image.fromarray(values).save(path, **options)
    return path


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp"])
def test_eight_bits(tmp_path, suffix):
    path = save(tmp_path / f"a.{suffix}", np.array([[0, 51, 255]], np.uint8))
    image = read_image(path)
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, [[0, 0.2, 1]], rtol=1e-6)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_one_step_apart_stay_apart(tmp_path, suffix):
    values = np.array([[0, 40000, 40001, 65535]], np.uint16)
    image = read_image(save(tmp_path / f"a.{suffix}", values))
    np.testing.assert_array_equal(np.round(image.astype(float) * 65535), values)


def test_grey_stored_as_rgb(tmp_path):
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    path = save(tmp_path / "a.png", np.repeat(grey[..., None], 3, -1))
    np.testing.assert_allclose(read_image(path), grey / 255, atol=1e-6)


def test_real_colour_is_refused(tmp_path):
    color = np.zeros((4, 4, 3), np.uint8)
    color[..., 0] = 200
    with pytest.raises(ImageError, match=r"a\.png: expected a grey image"):
        read_image(save(tmp_path / "a.png", color))


def test_broken_files_are_all_named_at_once(tmp_path):
    good = save(tmp_path / "good.png", np.zeros((40, 50), np.uint8))
    noise = np.random.default_rng(0).integers(0, 255, (40, 50)).astype(np.uint8)
    data = save(tmp_path / "whole.png", noise).read_bytes()
    (tmp_path / "truncated.png").write_bytes(data[: len(data) // 2])
    (tmp_path / "text.jpg").write_text("not an image")
    (tmp_path / "empty.tif").touch()
    names = ["good.png", "truncated.png", "text.jpg", "empty.tif", "missing.png"]
    with pytest.raises(ImageError) as caught:
        check_images([tmp_path / name for name in names])
    message = str(caught.value)
    assert message.startswith("4 image files cannot be read")
    assert all(name in message for name in names[1:])
    assert "good.png" not in message
    assert check_images([good]) == [(40, 50)]


def test_floating_point_and_several_pages_are_refused(tmp_path):
    path = save(tmp_path / "a.tif", np.full((4, 4), 0.5, np.float32))
    with pytest.raises(ImageError, match="8 or 16 bits, but its mode is F"):
        read_image(path)
    page = Image.fromarray(np.zeros((4, 4), np.uint8))
    page.save(tmp_path / "b.tif", save_all=True, append_images=[page])
    with pytest.raises(ImageError, match="holds 2 pages"):
        read_image(tmp_path / "b.tif")


def test_progress_counts_every_file(tmp_path):
    path = save(tmp_path / "a.png", np.zeros((4, 4), np.uint8))
    counted = []
    check_images([path] * 5, counted.append)
    assert sum(counted) == 5


def test_more_than_sixteen_bits_are_refused(tmp_path):
    path = save(tmp_path / "a.tif", np.full((4, 4), 70000, np.int32))
    with pytest.raises(ImageError, match="at most 16 bits"):
        read_image(path)
