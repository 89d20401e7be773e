from .explanations import explain as explain
from .write import EXPLANATION_FOLDER as EXPLANATION_FOLDER
from .write import write_explanations as write_explanations
