"""Settings of a pretraining."""

from dataclasses import dataclass
from pathlib import Path

from mscam_tf.errors import MscamError
from mscam_tf.models import XRAY_FILES, Weights, parse_weights
from mscam_tf.settings import View, check_settings_of, suggest

_STARTS = ("none", *XRAY_FILES)  # Other weights have no heads.
_FALL = 0.2  # Share of the steps, at the end, over which the rate falls.


@dataclass(frozen=True)
class PretrainConfig:
    """Settings of a pretraining.

    Attributes:
        steps: Number of steps in all, a multiple of `save_every`. Raise it to extend a pretraining
            that is finished: it goes on from where its learning rate began to fall.
        backbone: Name of the backbone: a model in `keras.applications`, or one that was given its
            name by `mscam_tf.register_backbone`.
        scales: Number of scales, at the coarsest strides of the backbone.
        views: What the channels of the backbone show of an image: `global`, the standardized image,
            or its local contrast with a Gaussian of so many pixels.
        start: What the pretraining goes on from: `xray`, the `.npz` file of another pretraining, or
            `none`. Heads at scales that were not there begin anew.
        image_size: Height and width of the scenes in pixels, multiples of 32.
        batch_size: Number of scenes in a step.
        learning_rate: Learning rate of AdamW. It is reached after a short warm-up, and falls to
            zero over the last fifth of the steps.
        weight_decay: Weight decay of AdamW. Biases, norms and the relevance are not decayed.
        map_weight: Weight of the loss that compares the map of each scale with the masks of the
            objects. The loss of their sum counts as much as all of them together. With 0 the model
            learns from the labels of the images alone.
        seed: Seed of the initial weights and of the scenes.
        precision: Number format of the computation: `float32`, `mixed_float16` or `mixed_bfloat16`.
        save_every: Number of steps from one checkpoint to the next.

    Raises:
        MscamError: If a value is out of range.
    """

    steps: int = 2400
    backbone: str = "DenseNet121"
    scales: int = 4
    views: tuple[View, ...] = ("global", 12.0, 4.0)
    start: str | None = None
    image_size: tuple[int, int] = (128, 128)
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    map_weight: float = 1.0
    seed: int = 0
    precision: str = "float32"
    save_every: int = 100

    def __post_init__(self) -> None:
        check_settings_of(self)
        known = self.start in (None, *_STARTS)
        is_file = isinstance(self.start, str | Path) and Path(self.start).suffix == ".npz"
        if not (known or is_file):
            raise MscamError(
                f"`start` (--start) must be one of {', '.join(map(repr, _STARTS))}, or the .npz "
                f"file of a pretraining.{suggest(self.start, _STARTS)} "
                f"Received: start={self.start!r}"
            )
        object.__setattr__(self, "start", self.weights.setting)  # None for "none", no Path.
        if self.steps % self.save_every:
            raise MscamError(
                "`steps` must be a multiple of `save_every`. "
                f"Received: steps={self.steps}, save_every={self.save_every}"
            )

    @property
    def weights(self) -> Weights:
        """What `start` names."""
        return parse_weights(self.start)

    @property
    def constant_steps(self) -> int:
        """Steps until the learning rate falls."""
        return self.steps - round(_FALL * self.steps)
