"""Networks that learn to classify crops, from several initial weights.

Each has `fit(images, labels, seed)` and `predict(images)`, for images `(n, height, width)` in
`[0, 1]`. Of two classes `predict` returns the logit of the second minus that of the first, `(n,)`:
above zero is class 1.
"""

from functools import cached_property

import numpy as np

BATCH = 16
TRAINING = {"steps": 192, "learning_rate": 3e-4}  # Of comparisons on crops, for all weights alike.
PRECISION = "mixed_bfloat16"  # Of long comparisons: half the time on processors that have it.
# What every comparison with a training from scratch says:
POOLING = (
    "Heads pool softly where they start from the embedded weights, by the mean from scratch, as "
    "`mscam train` has them."
)
RELU_TAPS = ("pool2_relu", "pool3_relu", "pool4_relu", "relu")
RAW_TAPS = ("conv3_block12_concat", "conv4_block24_concat", "conv5_block16_concat")


class Network:
    """DenseNet-121, trained as `mscam_tf.train` does, from the same start for every `fit`.

    Built and traced once; there is no validation set, and the averaged weights of the last step
    are kept: a handful of images leaves none to spare.
    """

    def __init__(
        self,
        model="multiscale",
        weights="xray",
        *,
        steps,
        learning_rate,
        side=128,
        classes=2,
        precision="float32",
    ):
        self.name, self.weights, self.side, self.classes = model, weights, side, classes
        self.steps, self.learning_rate, self.precision = steps, learning_rate, precision

    @cached_property
    def model(self):
        import keras

        import mscam_tf
        from mscam_tf.models import parse_weights
        from mscam_tf.training import compile_classifier, make_schedule

        build = {
            "multiscale": mscam_tf.build_multiscale_classifier,
            "single": mscam_tf.build_single_scale_classifier,
        }[self.name]
        start = parse_weights(self.weights).read()
        pooling = start.pooling if start else "mean"
        scales = {"scales": len(start.kernels)} if start and self.name == "multiscale" else {}
        size = (self.side, self.side)
        keras.config.set_dtype_policy(self.precision)
        model = build(self.classes, size, weights=self.weights, pooling=pooling, **scales)
        keras.config.set_dtype_policy("float32")
        if self.steps:
            compile_classifier(model, make_schedule(self.learning_rate, self.steps))
        self._start = model.get_weights()
        return model

    @cached_property
    def _targets(self):
        from mscam_tf.models import build_targets, parse_weights

        return build_targets(self.model, parse_weights(self.weights).read())

    def fit(self, images, labels, seed):
        from mscam_tf.fused_norms import fuse_norms
        from mscam_tf.models import parse_weights, start_heads
        from mscam_tf.training import average_weights

        if self.weights:
            self.model.set_weights(self._start)
            logits = self._targets.predict(self._prepare(images), verbose=0)
            start_heads(self.model, logits, labels, parse_weights(self.weights).read())
        else:
            _draw_weights(self.model, self._start, seed)
        if not self.steps:
            return
        for variable in self.model.optimizer.variables:
            variable.assign(np.zeros(variable.shape))
        data = self._augment(self._prepare(images), labels, seed)
        with fuse_norms(self.model):
            self.model.fit(
                data,
                steps_per_epoch=self.steps,
                shuffle=False,
                verbose=0,
                callbacks=[average_weights()],
            )

    def predict(self, images):
        logits = self.predict_logits(images)
        return logits[:, 1] - logits[:, 0]

    def predict_logits(self, images):
        return self.model.predict(self._prepare(images), batch_size=BATCH, verbose=0)

    def explain(self, images):
        """Return maps of all classes, `(n, side, side, C)`: the sum, and the finest of several."""
        return _explain(self._explainer, self.model, self._prepare(images))

    @cached_property
    def _explainer(self):
        import mscam_tf

        return mscam_tf.build_explainer(self.model, scale_maps=True)

    def _prepare(self, images):
        return _resize(images, self.side)

    def _augment(self, images, labels, seed):
        import tensorflow as tf

        from mscam_tf.data import build_augmentation, turn_tuning_off

        augment = build_augmentation(seed)
        data = tf.data.Dataset.from_tensor_slices((images, labels.astype(np.int32)))
        data = data.shuffle(len(labels), seed=seed).repeat().batch(BATCH)
        data = data.map(lambda x, y: (augment(x, training=True), y)).prefetch(2)
        return turn_tuning_off(data)


def _draw_weights(model, start, seed):
    """Give every kernel a fresh initial value; all else goes back to the start."""
    import keras

    model.set_weights(start)
    for number, variable in enumerate(model.trainable_variables):
        if variable.path.endswith("kernel"):
            initializer = keras.initializers.GlorotUniform(seed=seed * 10_000 + number)
            variable.assign(initializer(variable.shape))


class ZeroShot:
    """The pretrained classifier's own logit of a bone: nothing is fitted.

    As a classifier of `classes` it knows none, of logit zero, and all others, whose logit and map
    are the highest among its targets for other things than bones.
    """

    def __init__(self, weights="xray", side=128, classes=2):
        self.weights, self.side, self.classes = weights, side, classes

    @cached_property
    def _model(self):
        import mscam_tf
        from mscam_tf.models import parse_weights

        size = (self.side, self.side)
        return mscam_tf.build_pretrained_classifier(size, parse_weights(self.weights).read())

    def fit(self, images, labels, seed):
        pass

    def predict(self, images):
        return self.predict_targets(images)[:, 0]

    def predict_logits(self, images):
        return self._join(self.predict_targets(images))

    def predict_targets(self, images):
        """Return the logits of all pretrained targets, `(n, targets)`."""
        return self._model.predict(_resize(images, self.side), verbose=0)

    def explain(self, images):
        """Return maps of all classes, `(n, side, side, C)`: the sum, and the finest of several."""
        found = _explain(self._explainer, self._model, _resize(images, self.side))
        return {name: self._join(maps) for name, maps in found.items()}

    @cached_property
    def _explainer(self):
        import mscam_tf

        return mscam_tf.build_explainer(self._model, scale_maps=True, activation="sigmoid")

    def _join(self, values):
        from mscam_tf.simulation import TARGETS

        others = [k for k, name in enumerate(TARGETS) if not name.startswith("bone")]
        defect = values[..., others].max(-1, keepdims=True)
        return np.concatenate([0 * defect] + [defect] * (self.classes - 1), -1)


def _explain(explainer, model, images):
    from mscam_tf.models import read_relevance

    relevance = read_relevance(model, explainer.output["maps"].shape[-1])
    found = {"sum": [], "finest": []}
    for start in range(0, len(images), BATCH):  # A batch at a time: the other scales are large.
        outputs = explainer.predict_on_batch(images[start : start + BATCH])
        found["sum"].append(np.asarray(outputs["maps"]))
        found["finest"].append(relevance[0] * np.asarray(outputs["scale1_maps"]))
    shown = found if len(relevance) > 1 else ["sum"]
    return {name: np.concatenate(found[name]) for name in shown}


def _resize(images, side):
    """Return what a network takes, `(n, side, side, 1)`."""
    from mscam_tf.data.reading import resize_image

    return np.stack([resize_image(image, (side, side)) for image in images])[..., None]
