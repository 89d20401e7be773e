import numpy as np

from mscam_tf.data import build_augmentation


def test_augmentation_stays_light():
    ramp = np.linspace(0.2, 0.8, 32, dtype="float32")
    images = np.broadcast_to(ramp[None, :, None, None], (16, 32, 32, 1))
    for scale in (1.0, 1 / 16):  # The second as of a 12-bit detector in a 16-bit file.
        augmented = np.asarray(build_augmentation(0)(images * scale, training=True)) / scale
        np.testing.assert_allclose(augmented.mean((1, 2, 3)), 0.5, atol=0.05)
        np.testing.assert_allclose(augmented.std((1, 2, 3)), images.std(), rtol=0.3)
        assert np.abs(augmented - images).max() > 0.05
