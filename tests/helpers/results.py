"""Results of each kind of task."""

from __future__ import annotations

from typing import Any

from farm.results.result import DetectedObject, Prediction, Result, Timings
from farm.results.stats import PHASES
from workers.protocol.messages import ItemError

TENCH = Prediction(3, "tench, Tinca tinca", 0.5)
HEN = Prediction(0, "hen", 0.25)
BUS = DetectedObject(5, "bus", 0.88, (1.0, 2.0, 30.5, 40.25))
PERSON = DetectedObject(0, "person", 0.87, (0.0, 0.0, 10.0, 20.0))


def result(**changes: Any) -> Result:
    """An image without an answer, unless `changes` have one."""
    return Result(
        **{
            "id": 7,
            "path": "/a.jpg",
            "error": None,
            "worker": 2,
            "attempts": 1,
            "ms": Timings(**dict.fromkeys(PHASES, 1.0)),
            "simulated": False,
            **changes,
        }
    )


def classified(*top5: Prediction, **changes: Any) -> Result:
    return result(top5=top5, **changes)


def detected(*objects: DetectedObject, **changes: Any) -> Result:
    return result(**{"objects": objects, "size": (640, 480), **changes})


def failed(kind: str, message: str, **changes: Any) -> Result:
    return result(error=ItemError(kind, message), **changes)
