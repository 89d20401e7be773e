"""Data sets for TensorFlow Datasets; importing this module registers them.

Needs the extra `tfds`: `pip install "mscam-tf[tfds]"`.
"""

from mscam_tf.data.builders.export import export_dataset, prepare_dataset
from mscam_tf.data.builders.gdxray_fishbones import GdxrayFishbones
from mscam_tf.data.builders.gdxray_welds import GdxrayWelds, GdxrayWeldsConfig
from mscam_tf.data.builders.simulated_bones import MscamSimulatedBones, SimulatedBonesConfig

__all__ = [
    "GdxrayFishbones",
    "GdxrayWelds",
    "GdxrayWeldsConfig",
    "MscamSimulatedBones",
    "SimulatedBonesConfig",
    "export_dataset",
    "prepare_dataset",
]
