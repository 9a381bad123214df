"""A result as one readable line."""

from __future__ import annotations

from farm.results.result import Prediction, Result
from farm.system.terminal import printable


def line(result: Result) -> str:
    """One result as one readable line."""
    name = printable(result.path) if result.path is not None else f"item {result.id}"
    if result.top5 is None:
        kind, message = (result.error.kind, result.error.message) if result.error else ("", "")
        return f"{name}: error: {kind}: {printable(message)}"
    mark = "simulated: " if result.simulated else ""
    best = (_prediction(prediction, simulated=result.simulated) for prediction in result.top5)
    return f"{name}: {mark}{', '.join(best)}"


def _prediction(prediction: Prediction, *, simulated: bool) -> str:
    label = None if simulated else prediction.label
    name = f"class {prediction.class_id}" if label is None else printable(label.split(",")[0])
    return f"{name} {prediction.score:.1%}"
