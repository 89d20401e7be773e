"""The run folder: everything that is needed to repeat a training, and to use what it made."""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from mscam_tf.data.findings import join_findings
from mscam_tf.data.images import ReadOptions
from mscam_tf.files import write_json
from mscam_tf.pretrained import BACKBONE as PRETRAINED_BACKBONE
from mscam_tf.pretrained import names_pretrained

PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
MODELS = ("multiscale", "single")


class RunError(ValueError):
    """A run folder is missing, incomplete, or in the way."""


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
            raise ValueError(f"`model` must be one of {MODELS}. Received: model={self.model!r}")
        if self.precision not in PRECISIONS:
            raise ValueError(
                f"`precision` must be one of {PRECISIONS}. Received: precision={self.precision!r}"
            )
        if not 0 <= self.dropout < 1:
            raise ValueError(f"`dropout` must be in [0, 1). Received: dropout={self.dropout}")
        if self.image_size is not None and min(self.image_size) < 32:
            raise ValueError(
                "`image_size` must be at least 32 pixels a side. "
                f"Received: image_size={self.image_size}"
            )
        low, high = self.window_percentiles or (0, 100)
        if not 0 <= low < high <= 100:
            raise ValueError(
                "`window_percentiles` must be (low, high) with 0 <= low < high <= 100. "
                f"Received: window_percentiles={self.window_percentiles}"
            )
        for name in ("epochs", "batch_size", "learning_rate", "patience"):
            value = getattr(self, name)
            if value <= 0:
                raise ValueError(f"`{name}` must be positive. Received: {name}={value}")

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

    @property
    def activation(self) -> str:
        """What makes probabilities of the model's logits, for `mscam_tf.build_explainer`."""
        return "sigmoid" if self.several else "softmax"


@dataclass(frozen=True)
class Run:
    """A finished training: its folder, its settings, its classes."""

    folder: Path
    config: TrainConfig
    class_names: list[str]
    data: str
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def image_size(self) -> tuple[int, int]:
        """`(height, width)` of the model's input, in pixels."""
        if self.config.image_size is None:
            raise RunError(f"Run {self.folder} has no image size in its config.json")
        return self.config.image_size

    @property
    def split_file(self) -> Path:
        """The CSV file that says which image is in which split."""
        return self.folder / "split.csv"

    def name_prediction(self, probabilities: np.ndarray) -> str:
        """Name what probabilities `(C,)` say: the likeliest class, or all likely findings."""
        if not self.config.several:
            return self.class_names[int(probabilities.argmax())]
        likely = zip(self.class_names, probabilities > 0.5, strict=True)
        return join_findings([name for name, there in likely if there])

    def load_model(self) -> keras.Model:
        """Load the trained classifier.

        Raises:
            RunError: If training did not finish, or the file is not a Keras model.
        """
        path = self.folder / "model.keras"
        if not path.is_file():
            raise RunError(f"Run {self.folder} has no model.keras: its training did not finish.")
        try:
            return keras.saving.load_model(path, compile=False)
        except Exception as error:  # Keras raises whatever zip, JSON and HDF5 raise.
            raise RunError(f"{path} is not a readable Keras model: {error}") from error

    def read_value_range(self) -> tuple[float, float]:
        """Return the range of the maps, in logits, that pictures of this run tell apart."""
        values = read_json(self.folder / "display.json")
        return float(values["low"]), float(values["high"])


def create_run(
    folder: str | Path,
    config: TrainConfig,
    class_names: list[str],
    data: str,
) -> Run:
    """Create the run folder, which must be free, and write its settings."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(folder, config, class_names, data, _read_versions())
    values = {k: v for k, v in asdict(run).items() if k != "folder"}
    write_json(folder / "config.json", values)
    return run


def is_empty(folder: Path, overwrite: bool) -> bool:
    """Return whether nothing is in the folder; raise `RunError` if what is may not be replaced."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return True
    if not overwrite:
        raise RunError(f"{folder} exists; choose another folder, or overwrite it (--overwrite).")
    return False


def check_free(folder: Path, overwrite: bool, data: Path | None = None) -> None:
    """Raise `RunError` if the folder cannot be used for a new run.

    A run may be overwritten, on request. A folder that is not a run, or holds the data, is not.
    """
    if is_empty(folder, overwrite):
        return
    if data is not None and data.resolve().is_relative_to(folder.resolve()):
        raise RunError(f"{folder} holds the data {data}; it is left alone.")
    try:
        open_run(folder)
    except RunError as error:
        raise RunError(f"{folder} exists and is not a run; it is left alone. {error}") from error


@contextmanager
def replace_run(folder: Path) -> Iterator[None]:
    """Put an existing run aside while another takes its place; bring it back on failure."""
    aside = folder.with_name(f".{folder.name}.replaced")
    existed = folder.exists()
    if existed:
        shutil.rmtree(aside, ignore_errors=True)
        folder.rename(aside)
    try:
        yield
    except BaseException:
        if existed:
            shutil.rmtree(folder, ignore_errors=True)
            aside.rename(folder)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def open_run(folder: str | Path) -> Run:
    """Open a run folder.

    Raises:
        RunError: If it is not one.
    """
    folder = Path(folder)
    path = folder / "config.json"
    if not path.is_file():
        raise RunError(f"Not a run folder, it has no config.json. Received: {folder}")
    values = read_json(path)
    try:
        config = _restore_pairs(values["config"])
        config["read"] = ReadOptions(**_restore_pairs(config.get("read", {})))
        return Run(folder, **{**values, "config": TrainConfig(**config)})
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RunError(f"{path} was not written by this version of mscam-tf: {error}") from error


def _restore_pairs(values: dict[str, Any]) -> dict[str, Any]:
    """JSON has lists for the pairs of numbers in settings."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}


def check_settings(path: Path, settings: dict[str, Any], free: Sequence[str] = ()) -> Any:
    """Return the settings that a folder was begun with, or `None` if it was not.

    Args:
        path: The JSON file that keeps them.
        settings: Those to go on with.
        free: Names of settings that may differ.

    Raises:
        RunError: If others differ.
    """
    if not path.exists():
        return None
    known, settings = read_json(path), json.loads(json.dumps(settings))
    differing = {k for k in known.keys() | settings if known.get(k) != settings.get(k)} - set(free)
    if differing:
        raise RunError(
            f"{path.parent} holds something with other settings; choose another folder. "
            f"Expected: { ({name: known.get(name) for name in sorted(differing)}) }. "
            f"Received: { ({name: settings.get(name) for name in sorted(differing)}) }"
        )
    return known


def read_json(path: Path) -> Any:
    """Read a JSON file of a run; raises `RunError` if it is missing or broken."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {error}") from error


def _read_versions() -> dict[str, str]:
    from importlib.metadata import version

    names = ("mscam-tf", "keras", "tensorflow", "numpy", "scikit-learn")
    return {**{name: version(name) for name in names}, "backend": keras.backend.backend()}
