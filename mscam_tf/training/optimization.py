"""How classifiers are fitted: optimizer, schedule, averaged weights."""

from typing import Any

import keras

from mscam_tf.errors import MscamError
from mscam_tf.runs import OneLabel, Task
from mscam_tf.settings import check_setting, is_finite
from mscam_tf.training.deep_supervision import DeepLoss, MixedMetric

NOT_DECAYED = ["relevance_weights", "bias", "gamma", "beta"]  # By the names of variables.
_WARM_UP = 0.1  # Share of the steps over which the learning rate rises.
# Averaging the weights over about 20 steps: a validation set of a few images says little about
# the weights of a single step, and the best of many noisy losses is a lucky one.
_AVERAGE_MOMENTUM = 0.95


def compile_classifier(
    model: keras.Model,
    learning_rate: Any,
    *,
    task: Task | type[Task] = OneLabel,
    deep_supervision: float = 0.0,
    weight_decay: float = 1e-4,
    jit_compile: bool = False,
) -> None:
    """Compile with AdamW and the loss of a task.

    Args:
        model: A classifier that ends in logits, `(batch, C)`; with deep supervision what
            `show_heads` makes of one.
        learning_rate: A number or a schedule.
        task: What the labels mean; by default one class an image, by its index.
        deep_supervision: Weight `w` of each head's own loss beside that of the mixed logits:
            `L(z) + w sum_b L(l_b)`.
        weight_decay: Of AdamW; not applied to the relevance, biases and norms.
        jit_compile: Whether to compile the training step with XLA; on JAX it always is.

    Raises:
        MscamError: If a number is negative, NaN or infinite.
    """
    scheduled = isinstance(learning_rate, keras.optimizers.schedules.LearningRateSchedule)
    if not (scheduled or (is_finite(learning_rate) and learning_rate >= 0)):
        raise MscamError(
            "`learning_rate` must be a number of at least 0, or a schedule. "
            f"Received: learning_rate={learning_rate!r}"
        )
    check_setting("deep_supervision", deep_supervision)
    check_setting("weight_decay", weight_decay)
    optimizer = keras.optimizers.AdamW(
        learning_rate,
        weight_decay=weight_decay,
        use_ema=True,
        ema_momentum=_AVERAGE_MOMENTUM,
    )
    optimizer.exclude_from_weight_decay(var_names=NOT_DECAYED)
    # What has its variables made within the first step makes TensorFlow trace that step twice, half
    # a minute for a large backbone: hence this, and metrics that are no names.
    optimizer.build(model.trainable_variables)
    loss, metric = task.make_loss(), task.make_metric()
    if deep_supervision:
        loss, metric = DeepLoss(loss, deep_supervision), MixedMetric(metric)
    compiled = jit_compile or keras.backend.backend() == "jax"
    model.compile(optimizer, loss, metrics=[metric], jit_compile=compiled)


def average_weights() -> keras.callbacks.Callback:
    """Validate, save and finally keep the averaged weights; one for each compiled optimizer."""
    return keras.callbacks.SwapEMAWeights(swap_on_epoch=True)


def apply_constraints(model: keras.Model) -> None:
    """Constrain the weights: averages of unit vectors, for one, are shorter than these."""
    for variable in model.trainable_variables:
        if variable.constraint is not None:
            variable.assign(variable.constraint(variable))


def make_schedule(learning_rate: float, steps: int) -> keras.optimizers.schedules.CosineDecay:
    """Return a rate that rises over a tenth of the steps, then falls as a cosine.

    Raises:
        MscamError: If the rate is no number above 0, or the steps no whole one.
    """
    check_setting("learning_rate", learning_rate)
    check_setting("steps", steps)
    warm_up = max(1, int(_WARM_UP * steps))
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        decay_steps=max(1, steps - warm_up),
        alpha=0.01,
        warmup_target=learning_rate,
        warmup_steps=warm_up,
    )
