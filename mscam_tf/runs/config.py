"""Settings of a training."""

from dataclasses import dataclass, field, replace

from mscam_tf.data.reading import ReadOptions
from mscam_tf.errors import MscamError
from mscam_tf.models import BACKBONE as PRETRAINED_BACKBONE
from mscam_tf.models import names_pretrained

PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
MODELS = ("multiscale", "single")


@dataclass(frozen=True)
class TrainConfig:
    """Settings of a training.

    Attributes:
        model: `"multiscale"` or `"single"` (the plain baseline).
        backbone: A name in `keras.applications`.
        weights: `"xray"`, `"imagenet"`, a file, or `None` for a start from scratch, as for the
            builders; `"auto"` is `"xray"` where the backbone has such weights, otherwise `None`.
        taps: Layers of the backbone to read, the finest first; by default those at its three
            coarsest strides. The single-scale model reads the last of them.
        normalization: Of `mscam_tf.RelevanceCombine`: `"penalty"` or `"softmax"`.
        penalty: Of it: `"squared"`, `"absolute"` or `"signed"`.
        penalty_weight: Of it.
        pooling: How the heads pool their maps: `"mean"` or `"soft"`; `"auto"` is as the pretrained
            heads do where these are the start, otherwise `"mean"`.
        unit_norm_heads: Constrain each head's kernel to unit norm, so that the relevance alone
            carries the strength of a scale.
        deep_supervision: Weight `w` of the loss that each head of the multi-scale model has of its
            own, `L(z) + w sum_b L(l_b)`: every scale then learns to tell the classes alone. The
            validation loss, by which weights are kept, is that sum too.
        image_size: `(height, width)` in pixels; `None` takes the most common size of the images,
            rounded up to a multiple of 32 within 128 to 256.
        several: Whether an image may have several findings, or none: labels such as `bone|metal`
            are then learned finding by finding, with a sigmoid each.
        epochs: Epochs at most, frozen ones included.
        frozen_epochs: Epochs at the start in which a pretrained backbone is frozen; by default 0
            where the heads start as pretrained ones (`"xray"` and `.npz`, with the default taps and
            free heads), otherwise 3.
        balance: Weigh classes of unequal size so that each counts alike; without it a model expects
            each as often as in the training images.
        batch_size: Images a step.
        learning_rate: Highest learning rate of the schedule.
        weight_decay: Of AdamW; not applied to the relevance.
        dropout: Rate before the heads.
        patience: Epochs without a better validation loss after which training stops.
        seed: Seed of split, initial weights, order and augmentation.
        precision: `"float32"`, `"mixed_float16"` or `"mixed_bfloat16"`.
        xla: Whether to compile the training step with XLA.
        read: How the intensities of images are read, in training and ever after.
        window_percentiles: `(low, high)`, such as `(0.1, 99.9)`: where `read` has no window, these
            percentiles of the values in the training images become its window.
    """

    model: str = "multiscale"
    backbone: str = "DenseNet121"
    weights: str | None = "auto"
    taps: tuple[str, ...] | None = None
    normalization: str = "penalty"
    penalty: str = "squared"
    penalty_weight: float = 1.0
    pooling: str = "auto"
    unit_norm_heads: bool = False
    deep_supervision: float = 0.0
    image_size: tuple[int, int] | None = None
    several: bool = False
    epochs: int = 20
    frozen_epochs: int | None = None
    balance: bool = True
    batch_size: int = 16
    learning_rate: float = 3e-4
    weight_decay: float = 1e-4
    dropout: float = 0.0
    patience: int = 10
    seed: int = 0
    precision: str = "float32"
    xla: bool = False
    read: ReadOptions = field(default_factory=ReadOptions)
    window_percentiles: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise MscamError(f"`model` must be one of {MODELS}. Received: model={self.model!r}")
        if self.precision not in PRECISIONS:
            raise MscamError(
                f"`precision` must be one of {PRECISIONS}. Received: precision={self.precision!r}"
            )
        if not 0 <= self.dropout < 1:
            raise MscamError(f"`dropout` must be in [0, 1). Received: dropout={self.dropout}")
        if not 0 <= self.deep_supervision < float("inf"):
            raise MscamError(
                "`deep_supervision` must be a number, and not negative. "
                f"Received: deep_supervision={self.deep_supervision}"
            )
        if self.image_size is not None and min(self.image_size) < 32:
            raise MscamError(
                "`image_size` must be at least 32 pixels a side. "
                f"Received: image_size={self.image_size}"
            )
        low, high = self.window_percentiles or (0, 100)
        if not 0 <= low < high <= 100:
            raise MscamError(
                "`window_percentiles` must be (low, high) with 0 <= low < high <= 100. "
                f"Received: window_percentiles={self.window_percentiles}"
            )
        for name in ("epochs", "batch_size", "learning_rate", "patience"):
            value = getattr(self, name)
            if value <= 0:
                raise MscamError(f"`{name}` must be positive. Received: {name}={value}")

    def resolve(self) -> "TrainConfig":
        """Return the settings with what depends on the start of the training filled in."""
        weights = self.weights
        if weights == "auto":
            weights = "xray" if self.backbone == PRETRAINED_BACKBONE else None
        frozen = self.frozen_epochs
        if frozen is None:
            frozen = 0 if weights is None or self._starts_heads(weights) else 3
        return replace(self, weights=weights, frozen_epochs=frozen)

    @property
    def starts_heads(self) -> bool:
        """Whether the heads of the model can start as pretrained ones, see `initialize_heads`."""
        return self.weights is not None and self._starts_heads(self.weights)

    def _starts_heads(self, weights: str) -> bool:
        return names_pretrained(weights) and self.taps is None and not self.unit_norm_heads
