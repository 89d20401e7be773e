"""Maps of one trained classifier by several methods: its own, and those of others.

The published methods are written here in a few lines each: the packages that offer them look for
a layer by its name in the outer model, and do not find one inside a backbone that is a model
itself. `make_packaged` offers those of tf-keras-vis for a copy that it can take.
"""

from functools import cached_property

import numpy as np

from mscam_tf.metrics import draw_middle, find_spots, sharpen_maps

BATCH = 16
BESIDES = ("Grad-CAM", "Grad-CAM++", "LayerCAM")  # Which tf-keras-vis has, too.
FIRST, FINEST, SHARP = "multi-scale map", "its finest scale", "sharp map"
_SHARPNESS = 2.0  # Of LayerCAM's `tanh`, for all layers.
_TINY = 1e-12


class Attributor:
    """Makes maps of one classifier.

    Args:
        model: A classifier of this library, with TensorFlow.
        join: Makes one number of those of all classes, on the last axis: of logits the score that
            is explained, of maps the map.
        channels: How many channels of the last layer Score-CAM tries, those that vary most.
    """

    def __init__(self, model, join, channels: int = 8) -> None:
        self.model, self.join, self.channels = model, join, channels

    @property
    def passes(self) -> dict:
        """What makes maps `(B, H, W)` of images `(B, H, W, 1)`, by the names of the maps."""
        own = (FIRST, FINEST, "CAM of the last block")
        return {
            own[: len(self.relevance)]: self.explain,
            ("mean of mirror images",): self.explain_flips,
            (SHARP,): self.sharpen,
            BESIDES: self.weigh_last,
            ("LayerCAM, finest layer", "LayerCAM, three layers"): self.weigh_layers,
            ("Score-CAM",): self.score_cam,
            ("dark spots", "bright spots"): find_both,
            ("centre",): lambda x: [np.stack([draw_middle(one.shape[:2]) for one in x])],
        }

    @cached_property
    def relevance(self) -> np.ndarray:
        from mscam_tf.models import read_relevance

        return read_relevance(self.model, self.model.output.shape[-1])

    @cached_property
    def score(self):
        """The score that is explained, `(B,)`, compiled."""
        import tensorflow as tf

        return tf.function(lambda x: self.join(self.model(x, training=False)))

    @cached_property
    def _explainer(self):
        import mscam_tf

        return _compile(mscam_tf.build_explainer(self.model, scale_maps=True))

    @cached_property
    def _flipped(self):
        import mscam_tf

        return _compile(mscam_tf.average_flips(mscam_tf.build_explainer(self.model)))

    def explain(self, images):
        """The multi-scale map; with several scales also that of the finest and the coarsest."""
        outputs, count = self._explainer(images), len(self.relevance)
        ends = (0, count - 1) if count > 1 else ()
        scales = [self.relevance[k] * outputs[f"scale{k + 1}_maps"] for k in ends]
        return [np.asarray(self.join(maps)) for maps in (outputs["maps"], *scales)]

    def explain_flips(self, images):
        return [np.asarray(self.join(self._flipped(images)["maps"]))]

    def sharpen(self, images):
        """The multi-scale map, times the strength of spots."""
        maps = np.asarray(self.join(self._explainer(images)["maps"]))
        pairs = zip(maps, images[..., 0], strict=True)
        return [np.stack([sharpen_maps(*pair) for pair in pairs])]

    @cached_property
    def taps(self):
        """The classifier with the feature maps that it pools: they are of the same pass."""
        import keras

        pooled = list_pooled(self.model)
        return keras.Model(self.model.inputs, [*pooled, self.model.output])

    @cached_property
    def _differentiate(self):
        import tensorflow as tf

        @tf.function
        def differentiate(images, layer):
            with tf.GradientTape() as tape:
                tape.watch(images)
                *features, logits = self.taps(images, training=False)
                score = tf.reduce_sum(self.join(logits))
            chosen = [features[k] for k in layer]
            return chosen, tape.gradient(score, chosen)

        return lambda images, layers: differentiate(_tensor(images), tuple(layers))

    def weigh_last(self, images):
        """Return Grad-CAM, Grad-CAM++ and LayerCAM of the last feature map."""
        (features,), (slopes,) = self._differentiate(images, (len(self.relevance) - 1,))
        kinds = (weigh_grad_cam, weigh_grad_cam_plus_plus, weigh_layer_cam)
        return [_show(_weigh(features, weigh(features, slopes)), images) for weigh in kinds]

    def weigh_layers(self, images):
        """Return LayerCAM of the finest feature map, and of the last three (equation 8)."""
        layers = range(len(self.relevance))
        parts = zip(*self._differentiate(images, layers), strict=True)
        maps = [_show(_weigh(f, weigh_layer_cam(f, slopes)), images) for f, slopes in parts]
        peaks = [np.maximum(one.max((1, 2), keepdims=True), _TINY) for one in maps]
        pairs = zip(maps[-3:], peaks[-3:], strict=True)
        joined = np.max([np.tanh(_SHARPNESS * one / peak) for one, peak in pairs], axis=0)
        return [maps[0], joined]

    def score_cam(self, images):
        """Wang et al., 2020, algorithm 1, of the channels that vary most over the image."""
        import tensorflow as tf

        features = self.taps(_tensor(images), training=False)[-2]
        spread = tf.math.reduce_variance(features, (1, 2))
        features = tf.gather(
            features, tf.math.top_k(spread, self.channels).indices, axis=3, batch_dims=1
        )
        masks = tf.image.resize(features, images.shape[1:3])
        low = tf.reduce_min(masks, (1, 2), keepdims=True)
        high = tf.reduce_max(masks, (1, 2), keepdims=True)
        masks = (masks - low) / tf.maximum(high - low, _TINY)
        base = self.score(_tensor(0 * images))
        gains = [self.score(masks[..., k, None] * images) - base for k in range(self.channels)]
        weights = tf.nn.softmax(tf.stack(gains, -1))
        return [_show(_weigh(features, weights[:, None, None]), images)]


def find_both(images):
    """Return a map of dark, and one of bright spots: nothing is learned."""
    tones = ("dark", "bright")
    return [np.stack([find_spots(one[..., 0], tone) for one in images]) for tone in tones]


def _compile(explainer):
    import tensorflow as tf

    run = tf.function(lambda x: explainer(x, training=False))
    return lambda images: run(_tensor(images))


def _tensor(images):
    import tensorflow as tf

    return tf.convert_to_tensor(images, tf.float32)


def list_pooled(model) -> list:
    """Return the feature maps that the heads of a classifier read, the finest first."""
    names = [one.name for one in model.layers]
    heads = [f"scale{k}_{kind}" for k in range(1, 9) for kind in ("maps", "pool")]
    found = [name for name in heads if name in names]
    found = found or [name for name in ("maps", "pool") if name in names]
    return [model.get_layer(name).input for name in found]


def weigh_grad_cam(_, slopes):
    """Selvaraju et al., 2017, equation 1."""
    import tensorflow as tf

    return tf.reduce_mean(slopes, (1, 2), keepdims=True)


def weigh_grad_cam_plus_plus(features, slopes):
    """Chattopadhyay et al., 2018, equations 10 and 19, of the exponential of the score."""
    import tensorflow as tf

    whole = tf.reduce_sum(features, (1, 2), keepdims=True)
    below = 2 * slopes**2 + whole * slopes**3
    alphas = tf.where(below != 0, slopes**2 / tf.where(below != 0, below, 1), 0)
    return tf.reduce_sum(alphas * tf.nn.relu(slopes), (1, 2), keepdims=True)


def weigh_layer_cam(_, slopes):
    """Jiang et al., 2021, equation 5."""
    import tensorflow as tf

    return tf.nn.relu(slopes)


def _weigh(features, weights):
    """Return what of a weighted sum of channels is above zero."""
    import tensorflow as tf

    return tf.nn.relu(tf.reduce_sum(weights * features, -1))


def _show(maps, images) -> np.ndarray:
    import tensorflow as tf

    return tf.image.resize(maps[..., None], images.shape[1:3])[..., 0].numpy()


def make_packaged(model, join) -> dict:
    """Return the methods of tf-keras-vis for the same classifier, by the names used here.

    It looks for layers by their names in the outer model, so it gets a copy of the classifier in
    which a layer that does nothing follows the last feature map.
    """
    import keras
    from tf_keras_vis.gradcam import Gradcam
    from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus
    from tf_keras_vis.layercam import Layercam

    pooled = list_pooled(model)
    *others, last = keras.Model(model.inputs, pooled)(model.inputs[0])
    shown = keras.layers.Identity(name="shown")(last)
    copy = keras.Model(model.inputs, keras.Model(pooled, model.output)([*others, shown]))
    kinds = dict(zip(BESIDES, (Gradcam, GradcamPlusPlus, Layercam), strict=True))

    def explain(package, images):
        options = {"penultimate_layer": "shown", "seek_penultimate_conv_layer": False}
        return np.asarray(package(join, images, expand_cam=False, normalize_cam=False, **options))

    made = {name: kind(copy, clone=False) for name, kind in kinds.items()}
    return {name: lambda x, one=one: explain(one, x) for name, one in made.items()}
