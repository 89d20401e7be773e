from .explained import assume_point as assume_point
from .explained import describe_shares as describe_shares
from .explained import list_regions as list_regions
from .regions import Region as Region
from .regions import find_regions as find_regions
