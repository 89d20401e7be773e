"""Settings of a pretraining."""

from dataclasses import dataclass

from mscam_tf.errors import MscamError

_FALL = 0.2  # Share of the steps, at the end, over which the rate falls.


@dataclass(frozen=True)
class PretrainConfig:
    """Settings of a pretraining.

    Attributes:
        steps: Steps in all, a multiple of `save_every`. The rate is constant after a short warm-up
            and falls over the last fifth: a pretraining is extended from before its fall.
        backbone: A name in `keras.applications`.
        image_size: `(height, width)`, multiples of 32 pixels.
        batch_size: Scenes a step.
        learning_rate: Of AdamW.
        weight_decay: Of AdamW; not applied to biases, norms and the relevance.
        map_weight: Weight of the loss on the maps; 0 trains with image labels alone.
        seed: Seed of initial weights and scenes.
        save_every: Steps between checkpoints.
    """

    steps: int = 2400
    backbone: str = "DenseNet121"
    image_size: tuple[int, int] = (128, 128)
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    map_weight: float = 1.0
    seed: int = 0
    save_every: int = 100

    def __post_init__(self) -> None:
        if any(side % 32 or side < 32 for side in self.image_size):
            raise MscamError(
                "`image_size` must be multiples of 32 pixels. "
                f"Received: image_size={self.image_size}"
            )
        for name in ("steps", "batch_size", "learning_rate", "save_every"):
            if getattr(self, name) <= 0:
                raise MscamError(
                    f"`{name}` must be positive. Received: {name}={getattr(self, name)}"
                )
        if self.steps % self.save_every:
            raise MscamError(
                "`steps` must be a multiple of `save_every`. "
                f"Received: steps={self.steps}, save_every={self.save_every}"
            )
        if self.map_weight < 0:
            raise MscamError(
                f"`map_weight` must not be negative. Received: map_weight={self.map_weight}"
            )

    @property
    def constant_steps(self) -> int:
        """Steps until the learning rate falls."""
        return self.steps - round(_FALL * self.steps)
