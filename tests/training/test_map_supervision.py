import keras
import numpy as np
import pytest
from keras import ops

import mscam_tf
from mscam_tf.training.map_supervision import (
    BOXED,
    MASKED,
    MAYBE,
    MapCalibration,
    MapSupervision,
    measure_map,
    share_cells,
    supervise_maps,
    weigh_cells,
)
from tests.conftest import make_backbone
from tests.harness import check_layer

pytestmark = pytest.mark.backends


def softplus(x):
    return np.log1p(np.exp(x))


def measure(logits, shares, kinds):
    """Measure one image: cells in rows, classes or objects in columns."""
    parts = (np.asarray(part, np.float32)[None] for part in (logits, shares, kinds))
    return ops.convert_to_numpy(measure_map(*parts))[0]


def test_calibration_by_hand():
    maps = np.array([[2.0, -1.0]], np.float32).reshape(1, 1, 1, 2)
    found = ops.convert_to_numpy(MapCalibration()(maps))
    gain = np.log1p(np.e)  # Softplus of 1.
    np.testing.assert_allclose(found.ravel(), [2 * gain - 3, -gain - 3], rtol=1e-6)


def test_calibration_stands_what_every_layer_must(tmp_path):
    maps = np.random.default_rng(0).normal(size=(2, 4, 3, 2)).astype("float32")
    check_layer(lambda: MapCalibration(name="log_odds"), maps, tmp_path, trainable=2)


def test_shares_of_cells_by_hand():
    numbers = np.zeros((2, 4, 6, 1), np.float32)
    numbers[0, 0, :3, 0], numbers[0, 3, 5, 0], numbers[1, 1:3, 2, 0] = 1, 2, 2
    found = ops.convert_to_numpy(share_cells(numbers, (2, 3), 2))
    expected = np.zeros((2, 6, 2))
    expected[0, :2, 0], expected[0, 5, 1], expected[1, [1, 4], 1] = (0.5, 0.25), 0.25, 0.25
    np.testing.assert_allclose(found, expected)


def test_cells_need_not_fit_into_the_image():
    numbers = np.array([[1, 1, 0, 2, 2]], np.float32).reshape(1, 1, 5, 1)
    found = ops.convert_to_numpy(share_cells(numbers, (1, 2), 2))
    np.testing.assert_allclose(found[0], [[1, 0], [0, 2 / 3]])  # The third is in the right one.


def test_a_mask_is_asked_for_cell_by_cell():
    found = measure([[1.0], [-2.0]], [[0.25], [0]], [[MASKED]])
    expected = (4 * 0.5 * softplus(-1) + 0.5 * softplus(1) + softplus(-2)) / 2
    assert found == pytest.approx([expected], rel=1e-5)


def test_masked_objects_of_a_class_add_up_and_others_are_empty():
    found = measure([[1.0, 3.0]], [[0.16, 0.2]], [[MASKED, 0], [MASKED, 0]])
    assert found == pytest.approx([4 * 0.6 * softplus(-1) + 0.4 * softplus(1), softplus(3)], 1e-5)


def test_two_boxes_by_hand():
    logits = [[2.0], [-4.0], [1.0], [-3.0]]
    shares = [[1, 0], [0.1, 0], [0, 1], [0, 0]]
    first, second = np.log((np.exp(2) + np.exp(-4)) / 2), 1.0
    expected = (softplus(-3) + 4 * 2 * softplus(-first) + 4 * softplus(-second)) / 4
    assert measure(logits, shares, [[BOXED], [BOXED]]) == pytest.approx([expected], rel=1e-5)


def test_a_box_that_the_map_fills_is_its_mask():
    logits, shares = [[1.5], [1.5], [-2.0]], [[1], [1], [0]]
    boxed, masked = (measure(logits, shares, [[how]]) for how in (BOXED, MASKED))
    assert boxed == pytest.approx(masked, rel=1e-5)


def test_what_may_be_there_is_neither_asked_for_nor_forbidden():
    shares = [[1], [0]]
    first, second = (measure([[x, x], [0, 0]], shares, [[MAYBE, 0]]) for x in (-5.0, 5.0))
    assert first[0] == second[0] == pytest.approx(np.log(2) / 2)
    assert second[1] > first[1] + 2


def test_objects_that_were_moved_out_of_the_image_are_not_asked_for():
    found = measure([[-2.0]], [[0, 0]], [[BOXED], [MASKED]])
    assert found == pytest.approx([softplus(-2)], rel=1e-5)


def test_a_box_pulls_at_its_strongest_place_and_pushes_none_in_it():
    keras.utils.set_random_seed(0)
    layer = MapSupervision()
    maps = np.zeros((1, 2, 3, 1), np.float32)
    maps[0, 0, :, 0] = 2.0, -1.0, 0.5
    numbers = np.zeros((1, 2, 3, 1), np.float32)
    numbers[0, :, :2, 0] = 1
    kinds, counts = np.full((1, 1, 1), BOXED, np.float32), np.ones((1, 1), np.float32)
    steps = []
    for place in np.ndindex(2, 3):
        values = []
        for change in (-0.01, 0.01):
            moved = maps.copy()
            moved[0][place] += change
            layer([np.zeros((1, 1), np.float32), numbers, kinds, counts, moved])
            values.append(float(ops.convert_to_numpy(layer.losses[-1])))
        steps.append((values[0] - values[1]) / 0.02)
    steps = np.reshape(steps, (2, 3))
    assert steps[0, 0] == steps.max()
    assert (steps[:, :2] > 0).all()
    assert (steps[:, 2] < 0).all()


def test_the_loss_is_the_sum_over_maps_of_what_counts():
    layer = MapSupervision(weight=0.5)
    generator = np.random.default_rng(0)
    maps = [generator.normal(size=(2, side, side, 2)).astype("float32") for side in (4, 2)]
    numbers = np.zeros((2, 8, 8, 1), np.float32)
    numbers[:, 2:4, 2:4] = 1
    kinds = np.array([[[MASKED, 0]], [[0, BOXED]]], np.float32)
    counts = np.array([[1.0, 0.0], [0.25, 2.0]], np.float32)
    logits = generator.normal(size=(2, 2)).astype("float32")
    np.testing.assert_array_equal(layer([logits, numbers, kinds, counts, *maps]), logits)
    expected = 0.0
    for values in maps:
        side = values.shape[1]
        q = np.log1p(np.e) * values.reshape(2, -1, 2) - 3
        shares = ops.convert_to_numpy(share_cells(numbers, (side, side), 1))
        lost = [measure(*row) for row in zip(q, shares, kinds, strict=True)]
        expected += 0.5 * (counts * np.array(lost)).sum() / 2
    assert ops.convert_to_numpy(layer.losses[0]) == pytest.approx(expected, rel=1e-5)


def test_cells_of_no_object_weigh_one():
    found = ops.convert_to_numpy(weigh_cells(np.array([0.0, 1.0]), np.array([1.0, 1.0])))
    assert found == pytest.approx([softplus(1), 4 * softplus(-1)], rel=1e-5)


@pytest.mark.parametrize("scales", [1, 3])
def test_every_scale_and_the_sum_are_supervised(scales):
    backbone = make_backbone()
    build = mscam_tf.build_single_scale_classifier
    build = mscam_tf.build_multiscale_classifier if scales == 3 else build
    model = build(2, (32, 40), backbone=backbone)
    trainer = supervise_maps(model, model.output, 3, 1.0)
    layer = trainer.get_layer("map_supervision")
    assert len(layer.calibrations) == (4 if scales == 3 else 1)
    assert len(trainer.trainable_variables) == (
        len(model.trainable_variables) + 2 * len(layer.calibrations)
    )
    image = np.random.default_rng(0).random((2, 32, 40, 1)).astype("float32")
    marks = {
        "numbers": np.zeros_like(image),
        "kinds": np.zeros((2, 3, 2)),
        "counts": np.ones((2, 2)),
    }
    found = ops.convert_to_numpy(trainer({"image": image, **marks}))
    np.testing.assert_allclose(found, ops.convert_to_numpy(model(image)), rtol=1e-5, atol=1e-6)


def test_a_backbone_that_crops_is_refused():
    image = keras.Input((32, 32, 1))
    cropped = keras.layers.CenterCrop(16, 16)(image)
    pooled = keras.layers.GlobalAveragePooling2D()(make_backbone(1)(cropped))
    model = keras.Model(image, keras.layers.Dense(2)(pooled), name="cropping")
    with pytest.raises(mscam_tf.MscamError, match=r"crops, pads or turns .*model='cropping'"):
        supervise_maps(model, model.output, objects=3, weight=1.0)
