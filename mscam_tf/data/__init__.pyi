from .augmentation import build_augmentation as build_augmentation
from .pipeline import make_dataset as make_dataset
from .pipeline import name_failures as name_failures
from .pipeline import turn_tuning_off as turn_tuning_off
