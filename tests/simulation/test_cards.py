import numpy as np
import pytest

from mscam_tf import MscamError, read_boxes, read_image, read_manifest
from mscam_tf.data.reading import read_mask
from mscam_tf.files import read_table
from mscam_tf.simulation import CardPlan, SimulationConfig, list_pieces, write_test_pieces

PLAN = CardPlan(1, 3, SimulationConfig(image_size=(48, 48), pixel_pitch=0.5), seed=4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_test_pieces(tmp_path_factory.mktemp("pieces"), PLAN)


def test_each_piece_has_an_image_and_a_row(folder):
    manifest, rows = read_manifest(folder), read_table(folder / "objects.csv")
    assert len(manifest.samples) == PLAN.num_images == 3 + len(list_pieces())
    labels = [sample.label for sample in manifest.samples]
    assert labels.count("none") == 3
    assert [row["path"] for row in rows] == [s.path for s in manifest.samples[3:]]
    assert [row["material"] for row in rows] == labels[3:]
    for piece, row in zip(list_pieces(), rows, strict=True):
        assert float(row["diameter_mm"]) == piece.diameter
        assert float(row["diameter"]) == pytest.approx(piece.diameter / 0.5)
        assert float(row["length"]) == pytest.approx(piece.length / 0.5)
        assert float(row["contrast"]) > 0


def test_boxes_masks_and_table_agree(folder):
    boxes, rows = read_boxes(folder / "boxes.csv"), read_table(folder / "objects.csv")
    masks = {sample.path: sample.mask for sample in read_manifest(folder).samples}
    for row in rows[::9]:
        (box,) = boxes[row["path"]]
        assert [box.x_min, box.y_max] == [float(row["x_min"]), float(row["y_max"])]
        ys, xs = np.nonzero(read_mask(folder / masks[row["path"]]))
        assert (xs.min(), xs.max() + 1) == (box.x_min, box.x_max)
        assert (ys.min(), ys.max() + 1) == (box.y_min, box.y_max)
        assert read_image(folder / row["path"]).shape == (48, 48)


def test_the_same_plan_gives_the_same_bytes(folder, tmp_path):
    again = write_test_pieces(tmp_path / "again", PLAN)
    for name in ("objects.csv", "manifest.csv", "steel/00005.png"):
        assert (again / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.parametrize("values", [{"repeats": 0}, {"good_images": -1}])
def test_plans_are_checked(values):
    with pytest.raises(MscamError, match=f"`{next(iter(values))}` must be"):
        CardPlan(**values)
