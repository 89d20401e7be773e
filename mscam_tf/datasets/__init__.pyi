from .export import export_dataset as export_dataset
from .export import prepare_dataset as prepare_dataset
from .gdxray_fishbones import GdxrayFishbones as GdxrayFishbones
from .gdxray_welds import GdxrayWelds as GdxrayWelds
from .gdxray_welds import GdxrayWeldsConfig as GdxrayWeldsConfig
from .simulated_bones import MscamSimulatedBones as MscamSimulatedBones
from .simulated_bones import SimulatedBonesConfig as SimulatedBonesConfig
from .sources import resolve_source as resolve_source
