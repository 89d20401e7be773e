import csv
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from mscam_tf import ImageError, ReadOptions, fit_window, read_image
from mscam_tf.data.images import check_images, is_image_file, write_problems


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
        ({"page": -1}, "`page` must not be negative. Received: page=-1"),
        ({"max_pixels": 0}, "`max_pixels` must be positive. Received: max_pixels=0"),
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


def test_the_fitted_window_by_hand(tmp_path):
    paths = [
        save(tmp_path / "a.png", np.arange(0, 51, dtype=np.uint16).reshape(3, 17)),
        save(tmp_path / "b.png", np.arange(51, 101, dtype=np.uint16).reshape(5, 10)),
        tmp_path / "missing.png",
    ]
    assert fit_window(paths, (10, 95)) == (10, 95)  # Of the values 0 to 100.
    np.save(tmp_path / "c.npy", np.array([[-3.0, np.nan], [5, 1]]))
    assert fit_window([tmp_path / "c.npy"], (0, 100)) == (-3, 5)


def test_no_window_to_fit(tmp_path):
    path = save(tmp_path / "a.png", np.full((4, 4), 7, np.uint8))
    with pytest.raises(ValueError, match=r"must differ. Received: 7.0 and 7.0"):
        fit_window([path], (1, 99))
    with pytest.raises(ImageError, match="no such file"):
        fit_window([tmp_path / "missing.png"], (1, 99))


def test_large_images_are_sampled_evenly(tmp_path):
    ramp = np.arange(300 * 400, dtype=np.float32).reshape(300, 400)
    np.save(tmp_path / "a.npy", ramp)
    tracemalloc.start()
    low, high = fit_window([tmp_path / "a.npy"] * 50, (0, 50))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert low == 0
    assert high == pytest.approx(ramp.max() / 2, rel=1e-3)
    assert peak < 50 * 20_000 * 8 * 4


def test_image_files_by_suffix(tmp_path):
    for name in ("a.dcm", "b.NPY", "c.tiff", "d.txt", ".e.png"):
        (tmp_path / name).touch()
    found = [path.name for path in sorted(tmp_path.iterdir()) if is_image_file(path, tmp_path)]
    assert found == ["a.dcm", "b.NPY", "c.tiff"]
