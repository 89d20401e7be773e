from .checks import DUPLICATES as DUPLICATES
from .checks import DataReport as DataReport
from .checks import check_manifest as check_manifest
from .checks import group_duplicates as group_duplicates
from .checks import write_duplicates as write_duplicates
from .duplicates import Fingerprint as Fingerprint
from .duplicates import find_duplicates as find_duplicates
from .duplicates import take_fingerprint as take_fingerprint
