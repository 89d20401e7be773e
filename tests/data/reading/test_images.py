import csv

import numpy as np
import pytest
from PIL import Image

from mscam_tf import ImageError, ReadOptions, read_image
from mscam_tf.data.reading import check_images, is_image_file, resize_image, write_problems


def save(path, values):
    Image.fromarray(values).save(path)
    return path


def test_a_window_clips_and_inverts_by_hand(tmp_path):
    path = save(tmp_path / "a.png", np.array([[0, 100, 150], [300, 500, 65535]], np.uint16))
    image = read_image(path, ReadOptions(window=(100, 500)))
    np.testing.assert_allclose(image, [[0, 0, 0.125], [0.5, 1, 1]], atol=1e-7)
    image = read_image(path, ReadOptions(window=(100, 500), invert=True))
    np.testing.assert_allclose(image, [[1, 1, 0.875], [0.5, 0, 0]], atol=1e-7)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"window": (5, 5)}, r"`window` must be .* Received: window=\(5, 5\)"),
        ({"window": (0, float("nan"))}, "`window` must be"),
        ({"page": -1}, "`page` must be a whole number of at least 0. Received: page=-1"),
        ({"max_pixels": 0}, "`max_pixels` must be a number of at least 1. Received: max_pixels=0"),
    ],
)
def test_wrong_options(arguments, message):
    with pytest.raises(ValueError, match=message):
        ReadOptions(**arguments)


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


def test_long_lists_are_shortened_and_kept_whole_in_the_error(tmp_path):
    problems = [(tmp_path / f"{i}.png", "broken") for i in range(25)]
    error = ImageError(problems)
    assert str(error).splitlines()[0] == "25 image files cannot be read:"
    assert str(error).splitlines()[-1] == "  and 5 more"
    assert len(str(error).splitlines()) == 22
    assert error.problems == problems


def test_problems_are_written_as_a_table(tmp_path):
    write_problems([(tmp_path / "a,b.png", 'expected "grey", got colour')], tmp_path / "s.csv")
    with (tmp_path / "s.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [{"path": str(tmp_path / "a,b.png"), "reason": 'expected "grey", got colour'}]


def test_progress_counts_every_file(tmp_path):
    path = save(tmp_path / "a.png", np.zeros((4, 4), np.uint8))
    counted = []
    check_images([path] * 5, on_progress=counted.append)
    assert sum(counted) == 5


def test_image_files_by_suffix(tmp_path):
    for name in ("a.dcm", "b.NPY", "c.tiff", "d.txt", ".e.png"):
        (tmp_path / name).touch()
    found = [path.name for path in sorted(tmp_path.iterdir()) if is_image_file(path, tmp_path)]
    assert found == ["a.dcm", "b.NPY", "c.tiff"]


def test_resizing_averages_within_the_range(tmp_path):
    image = np.zeros((2, 8), np.float32)
    image[:, 4:] = 1
    assert resize_image(image, (2, 8)) is image
    small = resize_image(image, (1, 2))
    assert small.dtype == np.float32
    # Weights 5, 7, 7, 5, 3 and 1 of 28: a triangle 8 pixels wide, cut at the border.
    np.testing.assert_allclose(small, [[4 / 28, 24 / 28]], atol=1e-6)
    assert resize_image(image, (4, 3)).shape == (4, 3)
