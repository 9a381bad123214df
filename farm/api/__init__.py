"""The Python API: a farm as a context manager, its runs as iterators over results."""

from farm.api.farm import Farm
from farm.api.run import Run

__all__ = ["Farm", "Run"]
