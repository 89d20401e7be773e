"""Refuse names that there are not, before any image is opened."""

import keras

from mscam_tf.models import build_feature_extractor, find_backbone
from mscam_tf.runs import TrainConfig


def check_names(config: TrainConfig) -> None:
    """Check the backbone, the weights and the taps that the settings of a training name.

    Raises:
        MscamError: If one of them does not exist, or the weights fit another backbone.
        OSError: If the file of the weights is damaged.
    """
    find_backbone(config.backbone)
    config.start.resolve(config.backbone).check(config.backbone)
    if config.taps is not None:  # Layers have names once the graph is built.
        keras.backend.clear_session()  # Some are numbered on from earlier models.
        build_feature_extractor(config.backbone, config.taps)
        keras.backend.clear_session()
