"""The run folder: everything that is needed to repeat a training, and to use what it made."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import is_zipfile

from mscam_tf.data.reading import ReadOptions
from mscam_tf.errors import RunError
from mscam_tf.files import write_json
from mscam_tf.names import show_place
from mscam_tf.outputs import Kind
from mscam_tf.records import check_readable, read_named
from mscam_tf.runs.config import TrainConfig
from mscam_tf.runs.formats import FORMAT, upgrade_values
from mscam_tf.runs.task import Task, choose_task
from mscam_tf.settings import Names, check_value, is_finite

if TYPE_CHECKING:
    import keras

_WRITTEN = ("config", "class_names", "data", "versions")
RUN_FOLDER = Kind(
    "a run",
    "config.json",
    keys=("config", "class_names"),
    entries=(
        *("config.json", "split.csv", "marks.csv", "skipped.csv", "model.keras", "display.json"),
        *("tuning.json", "operating_point.json", "drift.json"),
        *("history.csv", "history.png", "tensorboard", "checkpoints"),
        *("tensorboard/*events.out.tfevents*", "checkpoints/best.weights.h5"),
        *("checkpoints/epoch*.npz", "checkpoints/progress.json"),
        *("metrics.json", "predictions.csv", "confusion.png", "localization"),
        *("localization/localization.*", "localization/free_response.png"),
        "localization/skipped.csv",
    ),
    state="checkpoints/progress.json",
    result="model.keras",
)


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

    @property
    def task(self) -> Task:
        """What its labels and logits mean."""
        return choose_task(self.config.several)(self.class_names)

    def load_model(self) -> "keras.Model":
        """Load the trained classifier.

        Raises:
            RunError: If training did not finish, the file may not be read or is not a Keras model,
                or the settings of the run name other classes or images than it has.
        """
        import keras  # Whoever needs no model of Keras does without it.

        # Keras finds a layer in a file once its class is known.
        from mscam_tf.models import LocalContrast, RelevanceCombine, SoftPool  # noqa: F401

        path = self.folder / "model.keras"
        if not path.is_file():
            raise RunError(
                f"Run {self.folder} has no model.keras: its training did not finish. "
                "`mscam train --resume` goes on with it."
            )
        check_readable(path)
        try:
            model = keras.saving.load_model(path, compile=False)
        except Exception as error:  # Keras raises whatever zip, JSON and HDF5 raise.
            # Of half a file, Keras says that it is not found.
            reason = error if is_zipfile(path) else "it is damaged, or no .keras file"
            raise RunError(f"{path} is not a readable Keras model: {reason}") from error
        self._check_fit(model)
        return model

    def _check_fit(self, model: "keras.Model") -> None:
        """Refuse settings that somebody has changed: probabilities would have wrong names."""
        (_, *size, _), *_ = (one.shape for one in model.inputs)
        classes = [one.shape[-1] for one in model.outputs]
        asked = [side or own for side, own in zip(size, self.image_size, strict=False)]
        if classes != [len(self.class_names)] or asked != list(self.image_size):
            raise RunError(
                f"{self.folder / 'config.json'} does not go with the model.keras beside it: one of "
                f"them was changed, or is of another run. Expected: {classes[0]} classes, images "
                f"of (height, width) = {tuple(asked)}. Received: {len(self.class_names)} classes, "
                f"{self.class_names}, images of {tuple(self.image_size)}"
            )

    def find_record(self, name: str) -> Path:
        """Return the file in which a record of that name stands, if there is one."""
        return self.folder / f"{name}.json"

    def read_record(self, name: str) -> dict[str, Any] | None:
        """Return what the run keeps in its file `NAME.json`; `None` if there is no such file.

        Raises:
            RunError: If the file is damaged.
        """
        path = self.find_record(name)
        if not path.is_file():
            return None
        return read_named(path)

    def write_record(self, name: str, values: dict[str, Any]) -> None:
        """Keep values in the file `NAME.json` of the run."""
        write_json(self.find_record(name), values)

    def read_value_range(self) -> tuple[float, float]:
        """Return the range of the maps, in logits, that pictures of this run tell apart."""
        path, values = self.find_record("display"), self.read_record("display")
        if values is None:
            raise RunError(
                f"{path} cannot be read: there is none, the training did not finish. "
                "`mscam train --resume` fits the range of its maps."
            )
        found: list[Any] = [values.get(name) for name in ("low", "high")]
        ends = [float(value) for value in found if is_finite(value)]
        if len(ends) < 2 or ends[0] > ends[1]:
            raise RunError(
                f"{path} must have numbers low and high, in this order. Received: {values}"
            )
        return ends[0], ends[1]


def create_run(
    folder: str | Path,
    config: TrainConfig,
    class_names: list[str],
    data: str,
) -> Run:
    """Create the run folder and write its settings."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(folder, config, class_names, data, _read_versions())
    run.write_record("config", encode_run(run))
    return run


def encode_run(run: Run) -> dict[str, Any]:
    """Return what `config.json` says of a run."""
    return {"format": FORMAT, **{k: v for k, v in asdict(run).items() if k in _WRITTEN}}


def open_run(folder: str | Path) -> Run:
    """Open a run folder.

    Raises:
        RunError: If it is not one, or a newer version of the library wrote it.
    """
    folder = Path(folder)
    path = folder / "config.json"
    if not path.is_file():
        raise RunError(f"Not a run folder, it has no config.json. Received: {show_place(folder)}")
    return decode_run(folder, read_named(path), path)


def decode_run(folder: Path, values: dict[str, Any], path: Path) -> Run:
    """Return the run of which `config.json`, of any known format, says these values.

    Args:
        folder: Where its other files are.
        values: What was read.
        path: The file that was read, for messages.

    Raises:
        RunError: If a newer version of the library wrote it, or they say no run.
    """
    try:
        values = upgrade_values(values, path)
        config = _restore_pairs(values["config"])
        config["read"] = ReadOptions(**_restore_pairs(config["read"]))
        check_value("class_names", values["class_names"], Names())
        return Run(folder, **{**values, "config": TrainConfig(**config)})
    except RunError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RunError(f"{path} was not written by this version of mscam-tf: {error}") from error


def _restore_pairs(values: dict[str, Any]) -> dict[str, Any]:
    """JSON has lists for the pairs of numbers in settings."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}


def _read_versions() -> dict[str, str]:
    from importlib.metadata import version

    import keras

    names = ("mscam-tf", "keras", "tensorflow", "numpy", "scikit-learn")
    return {**{name: version(name) for name in names}, "backend": keras.backend.backend()}
