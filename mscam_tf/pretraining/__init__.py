"""Pretrain on simulated scenes: kinds and sizes from the image, and places from the masks."""

from mscam_tf.pretraining.config import PretrainConfig as PretrainConfig
from mscam_tf.pretraining.models import build_pretraining_models as build_pretraining_models
from mscam_tf.pretraining.training import pretrain as pretrain
