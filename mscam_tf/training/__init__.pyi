from .building import check_config as check_config
from .callbacks import RelevanceLogger as RelevanceLogger
from .optimization import NOT_DECAYED as NOT_DECAYED
from .optimization import average_weights as average_weights
from .optimization import compile_classifier as compile_classifier
from .optimization import make_schedule as make_schedule
from .preparation import make_split_dataset as make_split_dataset
from .trainer import train as train
