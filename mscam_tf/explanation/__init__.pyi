from .explanations import explain as explain
from .write import check_explanations_free as check_explanations_free
from .write import write_explanations as write_explanations
