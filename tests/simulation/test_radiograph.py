import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from mscam_tf.simulation import CLASS_NAMES, SimulationConfig, simulate_frame, simulate_radiograph
from mscam_tf.simulation.bones import SIZES, draw_bones

SMALL = SimulationConfig(image_size=(96, 96))


def simulate(label, config=SMALL, seed=0):
    return simulate_radiograph(label, config, np.random.default_rng(seed))


@pytest.mark.parametrize("label", CLASS_NAMES)
def test_label_and_truth_agree(label):
    for seed in range(8):
        radiograph = simulate(label, seed=seed)
        assert radiograph.image.shape == (96, 96)
        assert radiograph.image.dtype == np.uint16
        assert radiograph.label == label
        assert len(radiograph.bones) == len(radiograph.masks) == len(radiograph.boxes)
        assert bool(radiograph.bones) == (label != "none")
        assert np.array_equal(radiograph.masks.any(axis=0), radiograph.mask > 0)


@pytest.mark.parametrize("label", list(SIZES))
@pytest.mark.parametrize("name", ["diameter", "length"])
def test_projected_sizes_are_those_of_the_class(label, name):
    low, high = (value / SMALL.pixel_pitch for value in SIZES[label][name])
    bones = [bone for seed in range(40) for bone in simulate(label, seed=seed).bones]
    rods = [getattr(bone, name) for bone in bones if bone.kind != "vertebra"]
    assert min(rods) >= low * (1 - 1e-6)
    assert max(rods) <= high * (1 + 1e-6)
    assert np.std(np.log(rods)) > 0.1


def test_boxes_bound_the_masks():
    radiograph = simulate("scale3", seed=2)
    for mask, (x_min, y_min, x_max, y_max) in zip(radiograph.masks, radiograph.boxes, strict=True):
        rows, columns = np.nonzero(mask)
        assert (rows.min(), rows.max() + 1) == (y_min, y_max)
        assert (columns.min(), columns.max() + 1) == (x_min, x_max)


def test_bones_are_brighter_than_what_is_beside_them():
    config = SimulationConfig(
        image_size=(96, 96), contrast=(0.1, 0.1), hard_negatives=0, photons=(1e6, 1e6)
    )
    gains = []
    for seed in range(10):
        radiograph = simulate("scale2", config, seed)
        mask = radiograph.mask > 0
        beside = binary_dilation(mask, iterations=6) & ~binary_dilation(mask, iterations=3)
        gains.append(radiograph.image[mask].mean() - radiograph.image[beside].mean())
    assert np.median(gains) > 0.02 / 2.5 * 65535


def test_contrast_of_rods_does_not_depend_on_size():
    contrasts = {
        label: [
            bone.contrast
            for seed in range(80)
            for bone in draw_bones(label, (96, 96), 0.25, (0.02, 0.2), np.random.default_rng(seed))
            if bone.kind != "vertebra"
        ]
        for label in SIZES
    }
    # The mean of the logarithms is that of the range's ends: the root of 0.02 x 0.2.
    for values in contrasts.values():
        assert np.exp(np.mean(np.log(values))) == pytest.approx(0.063, rel=0.2)
        assert max(values) < 0.2 * 1.7


def test_difficulty_divides_the_contrast():
    easy, hard = (
        simulate("scale1", SimulationConfig(image_size=(96, 96), difficulty=d), 3).bones[0].contrast
        for d in (1.0, 4.0)
    )
    assert easy / hard == pytest.approx(4, rel=1e-6)


def test_same_state_same_bytes():
    assert simulate("scale2", seed=5).image.tobytes() == simulate("scale2", seed=5).image.tobytes()
    assert simulate("scale2", seed=5).image.tobytes() != simulate("scale2", seed=6).image.tobytes()


def test_frame_shows_a_whole_fillet():
    config = SimulationConfig(image_size=(160, 320), pixel_pitch=1.0)
    frame = simulate_frame(config, 6, np.random.default_rng(0))
    assert frame.image.shape == (160, 320)
    assert frame.label in CLASS_NAMES[1:]
    corner, middle = frame.image[:8, :8].mean(), frame.image[70:90, 150:170].mean()
    assert corner < 0.1 * middle
    assert {bone.size_class for bone in frame.bones} > {frame.label}
    assert simulate_frame(config, 0, np.random.default_rng(0)).label == "none"


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("image_size", (8, 8)),
        ("bit_depth", 20),
        ("hard_negatives", 1.5),
        ("pixel_pitch", 0.0),
        ("pixel_pitch", 250.0),
        ("photons", (1e30, 1e30)),
        ("difficulty", -1.0),
        ("contrast", (0.2, 0.1)),
        ("photons", (0.0, 1.0)),
    ],
)
def test_bad_settings(argument, value):
    with pytest.raises(ValueError, match=f"`{argument}`.*Received: {argument}="):
        SimulationConfig(**{argument: value})


def test_unknown_label():
    with pytest.raises(ValueError, match=r"`label` must be one of .* Received: label='thick'"):
        simulate("thick")


def test_bones_that_cannot_fit_are_an_error_and_not_a_wait():
    tight = SimulationConfig(image_size=(64, 64), pixel_pitch=0.05)
    assert simulate("scale2", tight).bones
    impossible = SimulationConfig(image_size=(16, 16), pixel_pitch=0.0005)
    with pytest.raises(ValueError, match=r"No bone of scale1 fits.* Received: image_size="):
        simulate("scale1", impossible)
