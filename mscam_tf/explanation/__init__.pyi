from .explanations import Explanation as Explanation
from .explanations import describe_logit as describe_logit
from .explanations import explain as explain
from .write import EXPLANATION_FOLDER as EXPLANATION_FOLDER
from .write import write_explanations as write_explanations
