from .regions import Region as Region
from .regions import find_regions as find_regions
