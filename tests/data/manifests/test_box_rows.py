import pytest

from mscam_tf import Box, ManifestError
from mscam_tf.data.manifests import is_of_boxes, read_box
from mscam_tf.data.manifests.tables import Row

CELLS = {"x_min": "1", "y_min": "2", "x_max": "9", "y_max": "6.5", "label": " bone "}


def test_a_box_and_the_whole_of_its_object():
    assert read_box(Row("b.csv, line 2", CELLS)) == Box(1, 2, 9, 6.5, "bone")
    cut = CELLS | {"object_width": "12", "object_height": "4.495", "visible": "0.5"}
    assert read_box(Row("b.csv, line 2", cut)).size == (12, 4.495)  # Rounded by who wrote it.
    assert is_of_boxes(cut)
    assert not is_of_boxes(CELLS)


@pytest.mark.parametrize(("width", "height"), [("2.5", "8"), ("8", "1.1"), ("0.3", "0.2")])
def test_sizes_in_other_units_are_no_sizes_of_the_object(width, height):
    """Such as in mm: the object would be smaller than what is seen of it."""
    cells = CELLS | {"object_width": width, "object_height": height}
    with pytest.raises(ManifestError, match=rf"line 2: .*: {width} x {height}, .* 8 x 4.5"):
        read_box(Row("b.csv, line 2", cells))
