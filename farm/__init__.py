"""A worker farm for Rockchip NPUs: `from farm import Farm, Result`.

The names here are imported when they are first used: importing a room stays cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from farm.api import Farm, Run
    from farm.errors import FarmError
    from farm.results.result import Prediction, Result

__all__ = ["Farm", "FarmError", "Prediction", "Result", "Run", "__version__"]

_HOME: Final = {
    "Farm": "farm.api",
    "FarmError": "farm.errors",
    "Prediction": "farm.results.result",
    "Result": "farm.results.result",
    "Run": "farm.api",
}


def __getattr__(name: str) -> Any:
    """Return a public name from the room that has it."""
    if name == "__version__":
        from importlib.metadata import version

        return version("npu-farm")
    if name not in _HOME:
        raise AttributeError(f"module 'farm' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
