"""What images of a run are like: features and logits of good ones, kept with the run."""

import hashlib
import logging
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mscam_tf.data.reading import spread_indices
from mscam_tf.drift.features import FEATURES
from mscam_tf.errors import MscamError, RunError
from mscam_tf.names import show_place
from mscam_tf.runs import Run

_LOGGER = logging.getLogger(__name__)
NEEDED = 99  # With fewer, one of them at random would be among the most unlike 1 %.
_MOST = 500  # More make the file longer, and hardly the test better.
_RECORD, _FORMAT = "drift", 1


@dataclass(frozen=True)
class Reference:
    """Images that those to come should be like.

    Attributes:
        features: `(n, F)`, of each image the numbers of `FEATURES`.
        logits: `(n, C)`.

    Raises:
        MscamError: If they are no finite numbers of these shapes, or too few to judge by.
    """

    features: np.ndarray = field(repr=False)
    logits: np.ndarray = field(repr=False)

    def __post_init__(self) -> None:
        shapes = np.shape(self.features), np.shape(self.logits)
        right = [len(shape) == 2 for shape in shapes] == [True, True]
        if not right or shapes[0] != (shapes[1][0], len(FEATURES)):
            raise MscamError(
                f"A reference must have {len(FEATURES)} features and the logits of each image. "
                f"Received: features of shape {shapes[0]}, logits of shape {shapes[1]}"
            )
        if len(self.features) < NEEDED:
            raise MscamError(
                f"A reference needs {NEEDED} images. Received: {len(self.features)} images"
            )
        if not (np.isfinite(self.features).all() and np.isfinite(self.logits).all()):
            raise MscamError("A reference must be of finite numbers. Received: others")

    @property
    def sha256(self) -> str:
        """What tells it from any other."""
        both = (np.ascontiguousarray(one, np.float64) for one in (self.features, self.logits))
        return hashlib.sha256(b"".join(one.tobytes() for one in both)).hexdigest()


def fit_reference(features: np.ndarray, logits: np.ndarray) -> Reference | None:
    """Make a reference of images that a run was not trained on; of many, of an even choice of 500.

    Args:
        features: `(n, F)`, from `measure_image`.
        logits: `(n, C)`.

    Returns:
        The `Reference`; `None` of fewer than 99 images, which cannot promise 1 %.

    Examples:
        >>> fit_reference(np.zeros((98, 10)), np.zeros((98, 2))) is None
        True
        >>> len(fit_reference(np.zeros((2000, 10)), np.zeros((2000, 2))).features)
        500
    """
    if len(features) < NEEDED:
        return None
    chosen = spread_indices(len(features), _MOST)
    return Reference(np.asarray(features)[chosen], np.asarray(logits)[chosen])


def read_reference(run: Run) -> Reference | None:
    """Read the reference that a run keeps, or that went into its export; `None` if there is none.

    Raises:
        RunError: If it is damaged, or a newer version of the library wrote it.
    """
    values = run.read_record(_RECORD)
    if values is None:
        return None
    path = run.find_record(_RECORD)
    if values.get("format") != _FORMAT:
        raise RunError(
            f"{path} has a format that this version of mscam-tf does not know. "
            f"Expected: format={_FORMAT}. Received: format={values.get('format')!r}"
        )
    try:
        columns = [np.array(values["features"][name], np.float64) for name in FEATURES]
        logits = [np.array(values["logits"][name], np.float64) for name in run.class_names]
        return Reference(np.stack(columns, axis=1), np.stack(logits, axis=1))
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"{path} is no reference of this run: {error}") from error


def keep_reference(run: Run, features: np.ndarray, logits: np.ndarray) -> None:
    """Keep what good images are like with a run; of too few, the reference before them stays.

    Args:
        run: The run.
        features: `(n, F)`, from `measure_image`.
        logits: `(n, C)`.
    """
    reference = fit_reference(features, logits)
    if reference is not None:
        write_reference(run, reference)
    elif read_reference(run) is not None:
        _LOGGER.warning(
            "Images are still compared with the good ones that %s was trained or calibrated by "
            "before: a new reference needs %d. Received: %d good images",
            show_place(run.folder),
            NEEDED,
            len(features),
        )


def write_reference(run: Run, reference: Reference) -> None:
    """Keep a reference with a run, in the place of the one before."""
    values: dict[str, Any] = {"format": _FORMAT, "images": len(reference.features)}
    # Not rounded: an image of the same value must not rank above it.
    values["features"] = dict(zip(FEATURES, reference.features.T.tolist(), strict=True))
    values["logits"] = dict(zip(run.class_names, reference.logits.T.tolist(), strict=True))
    run.write_record(_RECORD, values)
