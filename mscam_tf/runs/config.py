"""Settings of a training."""

from dataclasses import dataclass, field, replace

from mscam_tf.data.reading import ReadOptions
from mscam_tf.errors import MscamError
from mscam_tf.models import Weights, parse_weights
from mscam_tf.settings import View, check_settings_of


@dataclass(frozen=True)
class TrainConfig:
    """Settings of a training.

    Attributes:
        model: What to train: `multiscale`, or `single`, the plain model with one scale.
        backbone: Name of the backbone: a model in `keras.applications`, or one that was given its
            name by `mscam_tf.register_backbone`.
        weights: What the training starts from: `xray` (pretrained on simulated radiographs; comes
            with the package, for DenseNet121), `xray-2` and `xray-1` (those of versions 0.3 and
            before), `imagenet`
            (downloaded by Keras), `none` (random weights), or a file: the `.npz` file of a
            pretraining, a `.weights.h5` or `.h5` file of the backbone, or a `.keras` model that is
            built on it. `auto` takes `xray` for DenseNet121, and random weights for other
            backbones.
        taps: Names of the layers of the backbone that the heads read, the finest scale first; the
            model with one scale reads the last of them. By default these are the layers at the
            coarsest strides, as many as there are scales.
        scales: Number of scales, where no taps are given. By default as many as the pretrained
            weights have that the training starts from, and three with others.
        views: What the channels of the backbone show of an image: `global`, the image as a whole,
            or a number of pixels, its local contrast within so many: one view for all channels, or
            one for each. By default what the pretrained weights were trained on, and `global` with
            others.
        normalization: How the relevance is kept near a convex combination of the scales: by a
            "penalty", an added loss, or by "softmax", which is convex by construction.
        penalty: Form of the added loss: `squared`, `absolute`, or `signed` as the paper prints it.
        penalty_weight: Weight of the added loss beside the main loss; lambda in the paper.
        pooling: How each head pools its map into a logit: `mean`, or `soft`, where strong places
            count more. `auto` pools as the pretrained heads do that the training starts from, and
            by the mean where there are none.
        unit_norm_heads: Constrain the kernel of each head to unit norm, so that the relevance alone
            carries the strength of a scale.
        deep_supervision: Weight `w` of a loss on the logits of each scale alone, beside that on the
            logits of the model: `L(z) + w sum_b L(l_b)`. Every scale then learns to tell the
            classes by itself. The validation loss, by which weights are kept, is this sum too. With
            0 there is no such loss.
        map_weight: Weight of a loss on the maps of each scale and on their sum, beside that on the
            labels: they learn from masks and boxes where objects are. These are read from the
            column `mask` of the manifest and from the `boxes.csv` beside it, for some images or
            all. A box asks for something in it, and for nothing outside. The validation loss, by
            which weights are kept, is this sum too. With 0, where nothing is marked, or where only
            the heads are tuned (`tune`), the model learns from the labels alone.
        image_size: Height and width in pixels to which all images are resized. By default this is
            the most common size of the images, each side rounded up to a multiple of 32 within 128
            to 256.
        several: Learn several findings in one image, from labels such as `bone|metal` or `none`:
            each finding has a probability of its own.
        tune: What is trained: `all` of the network; the `heads` alone, on the features of a frozen
            backbone, which takes seconds and is as good with a handful of labels, if the backbone
            was pretrained; or `auto`: the heads first, then all, and of the two what has the lower
            validation loss is kept. With `heads`, the settings of epochs, steps and rates have no
            effect.
        epochs: Number of epochs after which the training ends, frozen ones included.
        frozen_epochs: Number of epochs at the start in which a pretrained backbone is frozen while
            the heads settle, less than `epochs`. By default these are up to 3, and 0 where the
            heads start as pretrained ones (`xray` and `.npz`, with the default taps and heads of
            any norm) or are tuned first.
        balance: Weigh the classes so that a rare one counts as much as a common one. Without this
            the model expects each class as often as in the training images.
        batch_size: Number of images in a step.
        learning_rate: Highest learning rate. It is reached after a tenth of the steps, and then
            falls as a cosine.
        weight_decay: Weight decay of AdamW. Biases, norms and the relevance are not decayed.
        dropout: Rate of dropout before each head.
        patience: Number of epochs without a lower validation loss after which the training stops.
        seed: Seed of the split, the initial weights, the order of the images and their
            augmentation.
        precision: Number format of the computation: `float32`, `mixed_float16` or `mixed_bfloat16`.
        xla: Compile the training step with XLA.
        read: How the intensities of images are read, in the training and ever after.
        window_percentiles: Two percentiles, low and high, such as 0.1 and 99.9: these percentiles
            of the values in the training images become the window, where no window is given.

    Raises:
        MscamError: If a value is not one of the choices, or out of range.
    """

    model: str = "multiscale"
    backbone: str = "DenseNet121"
    weights: str | None = "auto"
    taps: tuple[str, ...] | None = None
    scales: int | None = None
    views: tuple[View, ...] | None = None
    normalization: str = "penalty"
    penalty: str = "squared"
    penalty_weight: float = 1.0
    pooling: str = "auto"
    unit_norm_heads: bool = False
    deep_supervision: float = 0.0
    map_weight: float = 1.0
    image_size: tuple[int, int] | None = None
    several: bool = False
    tune: str = "all"
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
        check_settings_of(self)
        if self.tune != "all" and self.unit_norm_heads:
            raise MscamError(
                "Heads that are trained first have kernels of any norm. "
                f"Received: tune={self.tune!r}, unit_norm_heads=True"
            )
        object.__setattr__(self, "weights", self.start.setting)  # None for "none", no Path.

    @property
    def start(self) -> Weights:
        """What `weights` names."""
        return parse_weights(self.weights)

    def resolve(self) -> "TrainConfig":
        """Return the settings with what depends on the start of the training filled in.

        No file is opened.
        """
        start = self.start.resolve(self.backbone)
        frozen = self.frozen_epochs
        if frozen is None:
            settled = self.tune != "all" or self._starts_heads(start)
            frozen = 0 if start.kind == "none" or settled else min(3, self.epochs - 1)
        return replace(self, weights=start.setting, frozen_epochs=frozen)

    @property
    def starts_heads(self) -> bool:
        """Whether the heads of the model can start as pretrained ones, see `initialize_heads`."""
        return self._starts_heads(self.start)

    def _starts_heads(self, start: Weights) -> bool:
        return start.has_heads and self.taps is None and not self.unit_norm_heads
