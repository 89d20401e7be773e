import csv

import pytest

from mscam_tf import ImageError
from mscam_tf.data.reading import read_image, read_mask, write_problems


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


@pytest.mark.parametrize("read", [read_image, read_mask])
def test_what_the_system_says_comes_without_numbers_and_paths(tmp_path, read):
    with pytest.raises(ImageError, match=r"gone\.png: no such file( or directory)?$"):
        read(tmp_path / "gone.png")
