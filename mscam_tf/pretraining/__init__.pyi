from .config import PretrainConfig as PretrainConfig
from .training import pretrain as pretrain
