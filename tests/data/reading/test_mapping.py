import numpy as np
import pytest
from PIL import Image

from mscam_tf import ImageError, ReadOptions, read_image
from mscam_tf.data.reading import check_images, map_images
from tests.data.reading.counting import count_side_by_side


def save(path, values):
    Image.fromarray(values).save(path)
    return path


def test_broken_files_are_all_named_at_once(tmp_path):
    good = save(tmp_path / "good.png", np.zeros((40, 50), np.uint8))
    noise = np.random.default_rng(0).integers(0, 255, (40, 50)).astype(np.uint8)
    data = save(tmp_path / "whole.png", noise).read_bytes()
    (tmp_path / "truncated.png").write_bytes(data[: len(data) // 2])
    (tmp_path / "text.jpg").write_text("not an image")
    (tmp_path / "empty.tif").touch()
    names = ["good.png", "truncated.png", "text.jpg", "empty.tif", "missing.png"]
    paths = [tmp_path / name for name in names]
    with pytest.raises(ImageError) as caught:
        check_images(paths)
    message = str(caught.value)
    assert message.startswith("4 image files cannot be read")
    assert message.endswith("Mend them, or leave them out (skip_bad=True, --skip-bad).")
    assert all(name in message for name in names[1:])
    assert "good.png" not in message
    sizes, problems = check_images(paths, skip_bad=True)
    assert sizes == {good: (40, 50)}
    assert [path for path, _ in problems] == paths[1:]


def test_nothing_is_left_to_skip(tmp_path):
    (tmp_path / "a.png").touch()
    with pytest.raises(ImageError, match=r"An image file cannot be read:\n.*the file is empty$"):
        check_images([tmp_path / "a.png"], skip_bad=True)


def test_reading_stops_once_enough_are_readable(tmp_path):
    good = [save(tmp_path / f"{n}.png", np.zeros((4, 4 + n), np.uint8)) for n in range(5)]
    paths = [tmp_path / "missing.png", *good]
    sizes, problems = check_images(paths, skip_bad=True, most=3)
    assert list(sizes.values()) == [(4, 4), (4, 5), (4, 6)]
    assert len(problems) == 1


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp", "jpg", "npy", "jp2"])
def test_large_images_of_all_formats_wait_for_each_other(tmp_path, monkeypatch, suffix):
    """Memory is that of one image of the limit, not of one for each thread."""
    monkeypatch.setattr("mscam_tf.data.reading.admission.PIXELS_AT_ONCE", 25)
    path, values = tmp_path / f"a.{suffix}", np.zeros((4, 5), np.uint8)
    np.save(path, values) if suffix == "npy" else save(path, values)
    most = []
    count = count_side_by_side(read_image, most)

    def read(path, options):
        return count(path, options).shape

    assert list(map_images(read, [path] * 8, ReadOptions())) == [(4, 5)] * 8
    assert max(most) == 1
    monkeypatch.setattr("mscam_tf.data.reading.admission.PIXELS_AT_ONCE", 1000)
    list(map_images(read, [path] * 8, ReadOptions()))
    assert max(most) > 1


def test_progress_counts_every_file(tmp_path):
    path = save(tmp_path / "a.png", np.zeros((4, 4), np.uint8))
    counted = []
    check_images([path] * 5, on_progress=counted.append)
    assert sum(counted) == 5


def test_constant_images_are_named_but_kept(tmp_path, caplog):
    ramp = np.arange(100, 112, dtype=np.uint8).reshape(3, 4)
    paths = [save(tmp_path / f"{i}.png", np.full((3, 4), i, np.uint8)) for i in range(7)]
    paths.append(save(tmp_path / "ramp.png", ramp))
    sizes, problems = check_images(paths)
    assert len(sizes) == 8
    assert problems == []
    (message,) = caplog.messages
    assert "7 images" in message
    assert "0.png" in message
    assert "4.png, …" in message
    assert "ramp.png" not in message


def test_images_that_a_window_wipes_out_are_named(tmp_path, caplog):
    path = save(tmp_path / "a.png", np.arange(100, 112, dtype=np.uint8).reshape(3, 4))
    check_images([path], ReadOptions(window=(50, 112)))
    assert caplog.messages == []
    check_images([path], ReadOptions(window=(0, 50)))
    assert "1 images" in caplog.text
    assert "a.png" in caplog.text


def test_a_check_of_some_images_leaves_constant_ones_to_who_reads_all(tmp_path, caplog):
    path = save(tmp_path / "a.png", np.zeros((4, 4), np.uint8))
    assert check_images([path] * 3, most=2)[0] == {path: (4, 4)}
    assert not caplog.messages
