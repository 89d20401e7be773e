"""Maps averaged over the mirror images of a radiograph."""

from typing import Any

import keras
from keras import ops

from mscam_tf.errors import MscamError
from mscam_tf.models.explainer import activate, check_native_maps

_FLIPS = ((), (0,), (1,), (0, 1))  # Rows turned round, columns, or both.


def average_flips(explainer: keras.Model) -> keras.Model:
    """Build the explainer that averages over an image's four mirror images.

    `S(x) = mean_i F_i(S_0(F_i(x)))`, where `F_i` leaves the image, turns it upside down, left to
    right, or both, and is its own inverse. What the network sees in noise differs from one mirror
    image to the next, what it sees in an object does not: the maps point at faint objects more
    often, in four times the time. Suits images that could as well have been taken mirrored, as
    `mscam_tf.train` assumes too.

    Logits and contributions are averaged alike, so that every logit is accounted for as before;
    probabilities are those of the averaged logits.

    Args:
        explainer: From `build_explainer`, of a classifier with one input.

    Returns:
        A `keras.Model` with the input of `explainer` and the same dict of outputs, in the same
        units.

    Raises:
        ValueError: If it is no such explainer.

    Examples:
        >>> import numpy as np, mscam_tf
        >>> model = mscam_tf.build_multiscale_classifier(3, (64, 64), backbone="MobileNetV2")
        >>> explainer = mscam_tf.average_flips(mscam_tf.build_explainer(model))
        >>> explainer.predict(np.zeros((2, 64, 64, 1)), verbose=0)["maps"].shape
        (2, 64, 64, 3)

    References:
        [Krizhevsky et al., 2012](https://doi.org/10.1145/3065386), section 4.1: predictions
        averaged over mirror images.
    """
    cam = _find_maps(explainer)
    if cam.wanted.map_size == "native":  # Of a mirrored image a crop shows another part.
        check_native_maps(explainer)
    image = keras.Input(explainer.inputs[0].shape[1:], dtype=explainer.inputs[0].dtype)
    views = [
        {
            name: _flip(x, flips, (1, 2))
            for name, x in explainer(_flip(image, flips, cam.geometry.axes)).items()
        }
        for flips in _FLIPS
    ]
    outputs = {name: ops.mean(ops.stack([v[name] for v in views]), axis=0) for name in views[0]}
    outputs["probabilities"] = activate(outputs["logits"], cam.activation)
    return keras.Model(image, outputs, name=f"{explainer.name}_flips")


def _find_maps(explainer: keras.Model) -> Any:
    names = [layer.name for layer in explainer.layers]
    if "cam" not in names or len(explainer.inputs) != 1:
        raise MscamError(
            "`explainer` must come from build_explainer, of a classifier with one input. "
            f"Received: explainer={explainer.name!r} with {len(explainer.inputs)} inputs"
        )
    return explainer.get_layer("cam")


def _flip(x: Any, flips: tuple[int, ...], axes: tuple[int, int]) -> Any:
    """Flip rows and columns of images and maps, which are these axes; logits have none."""
    return ops.flip(x, tuple(axes[flip] for flip in flips)) if flips and len(x.shape) == 4 else x
