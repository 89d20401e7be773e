from .operating_point import calibrate as calibrate
from .rates import Rate as Rate
from .rates import count_groups as count_groups
from .scores import Scores as Scores
from .scores import evaluate as evaluate
