"""Results made by hand, for what shows them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from farm.results.result import Result, Timings
from workers.protocol.messages import ItemError


def result(
    path: str | Path | None, *, error: tuple[str, str] | None = None, **fields: Any
) -> Result:
    """A result of worker 0, of no answer unless `fields` has one."""
    return Result(
        path=None if path is None else str(path),
        error=None if error is None else ItemError(*error),
        **{
            "id": 0,
            "worker": 0,
            "attempts": 1,
            "ms": Timings(queue=1.0, decode=2.0, wait=0.5, infer=3.0, total=6.5),
            "simulated": False,
            **fields,
        },
    )
