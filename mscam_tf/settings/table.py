"""Which values each setting may have: one table of choices and ranges, for all of the library."""

from collections.abc import Mapping

from mscam_tf.settings.rules import Choice, Flag, Names, Number, Other, Range, Rule, Size, Views

_COUNT, _NOT_NEGATIVE = Number(1, whole=True), Number(0)
_POSITIVE, _SHARE = Number(0, above=True), Number(0, 1)
_LONGEST = 2**14  # Side in pixels: no memory holds the maps of larger images.
_SEED = Number(0, 2**32 - 1, whole=True)  # That NumPy and TensorFlow take.

# By the name of the setting, or where a name stands for two things by `Class.name`.
SETTINGS: Mapping[str, Rule] = {
    # Of models.
    "model": Choice(("multiscale", "single")),
    "backbone": Other(),
    "weights": Other(),
    "start": Other(),
    "taps": Names(),
    "views": Views(),
    "scales": _COUNT,
    "normalization": Choice(("penalty", "softmax")),
    "penalty": Choice(("squared", "absolute", "signed")),
    "penalty_weight": _NOT_NEGATIVE,
    "rate": _POSITIVE,
    "pooling": Choice(("mean", "soft")),
    "TrainConfig.pooling": Choice(("auto", "mean", "soft")),
    "sharpness": _NOT_NEGATIVE,
    "unit_norm_heads": Flag(),
    "dropout": Number(0, 1, below=True),
    "batch_norm_momentum": Number(0, 1, below=True),
    "precision": Choice(("float32", "mixed_float16", "mixed_bfloat16")),
    # Of trainings.
    "image_size": Size(32, most=_LONGEST),
    "PretrainConfig.image_size": Size(32, step=32, most=_LONGEST),
    "SimulationConfig.image_size": Size(16, most=_LONGEST),
    "several": Flag(),
    "deep_supervision": _NOT_NEGATIVE,
    "tune": Choice(("all", "heads", "auto")),
    "epochs": _COUNT,
    "frozen_epochs": Number(0, whole=True),
    "balance": Flag(),
    "Plan.balance": Other(),
    "batch_size": _COUNT,
    "learning_rate": _POSITIVE,
    "weight_decay": _NOT_NEGATIVE,
    "patience": _COUNT,
    "seed": _SEED,
    "xla": Flag(),
    "steps": _COUNT,
    "save_every": _COUNT,
    "map_weight": _NOT_NEGATIVE,
    # Of images and how they are read.
    "window": Range(Number()),
    "window_percentiles": Range(Number(0, 100)),
    "invert": Flag(),
    "page": Number(0, whole=True),
    "max_pixels": Number(1),
    # Of frames that are cut.
    "size": _COUNT,
    "tile_size": Size(1, most=_LONGEST),
    "overlap": Number(0, 1, below=True),
    "border": Choice(("shift", "pad", "drop")),
    "min_visible": Number(0, 1, above=True),
    "empty": _NOT_NEGATIVE,
    # Of simulations.
    "num_images": _COUNT,
    "labels": Choice(("scale", "binary")),
    "frame_groups": Number(0, whole=True),
    "pixel_pitch": Number(1e-4, 10),  # In mm: what is beyond is in another unit.
    "bit_depth": Number(8, 16, whole=True),
    "contrast": Range(_POSITIVE, equal=True),
    "difficulty": _POSITIVE,
    "photons": Range(Number(0, 1e12, above=True), equal=True),  # NumPy draws no more than 1e18.
    "hard_negatives": _SHARE,
    "repeats": _COUNT,
    "good_images": Number(0, whole=True),
    # Of scores.
    "bins": _COUNT,
    "resamples": Number(0, whole=True),
    "tolerance": _NOT_NEGATIVE,
    "FreeResponse.rate": _NOT_NEGATIVE,
    "FreeResponse.window": _COUNT,
    # Of reproductions.
    "seeds": _COUNT,
    "ReproductionConfig.weights": Names(),
    "images": Number(20, whole=True),  # Fewer cannot be split by class.
    "fresh": Number(0, whole=True),
}
