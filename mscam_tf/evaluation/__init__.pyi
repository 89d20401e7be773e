from .scores import Scores as Scores
from .scores import evaluate as evaluate
