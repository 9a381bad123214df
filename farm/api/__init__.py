"""The Python API: a farm as a context manager, its runs as iterators over results."""

from farm.system import address_space

address_space.check()  # before the imports that abort this process where there is too little

from farm.api.farm import Farm  # noqa: E402
from farm.api.run import Run  # noqa: E402

__all__ = ["Farm", "Run"]
