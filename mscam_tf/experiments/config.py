"""Settings of a reproduction."""

from dataclasses import dataclass, field

from mscam_tf.errors import MscamError
from mscam_tf.models import parse_weights
from mscam_tf.runs import TrainConfig
from mscam_tf.settings import check_settings_of
from mscam_tf.simulation import SimulationConfig

_CLASSES = 4  # Of simulated images.


@dataclass(frozen=True)
class ReproductionConfig:
    """Settings of a reproduction.

    Attributes:
        seeds: Number of trials of each model; each has a split, initial heads and an order of the
            images of its own.
        weights: What the trainings start from: `xray`, `none`, or whatever a training takes. Each
            start is a row of the table for each model.
        images: Number of simulated images, which are split 7:1:2 into training, validation and
            test images.
        fresh: Number of simulated images beside these, on which every model is scored too;
            0 for none.
        simulation: What is simulated.
        training: Settings of the trainings. From scratch they take three times as many epochs.

    Raises:
        MscamError: If a value is out of range.
    """

    seeds: int = 10
    weights: tuple[str, ...] = ("xray",)
    images: int = 371
    fresh: int = 2000
    simulation: SimulationConfig = field(default_factory=SimulationConfig)
    # Of two classes, too, a model expects what the test images have: nothing is balanced. Of models
    # that are compared, none stops before another: the patience is longer than any training.
    # The maps are to be found from the labels alone.
    training: TrainConfig = field(
        default_factory=lambda: TrainConfig(epochs=8, patience=24, balance=False, map_weight=0)
    )

    def __post_init__(self) -> None:
        check_settings_of(self)
        if 0 < self.fresh < _CLASSES:
            raise MscamError(
                f"`fresh` must be 0, or at least {_CLASSES}: one image of each class. "
                f"Received: fresh={self.fresh}"
            )
        for weights in self.weights:
            parse_weights(weights)
