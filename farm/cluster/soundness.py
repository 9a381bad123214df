"""Whether a result that comes from a hub is one that a farm makes."""

from __future__ import annotations

import re
from math import isfinite
from typing import Final

from farm.results.result import Result
from workers.protocol.spec import CLASSIFY, DETECT

KIND: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
LONGEST_BOARD: Final = 64  # characters
MOST_CLASSES: Final = 5
GONE: Final = "gone"  # the kind of an image that the hub has no more


def is_of(task: str, result: Result) -> bool:
    """Return whether a result is one that this task has, or an error."""
    if result.error is not None:
        return True
    kinds = {CLASSIFY: result.top5 is not None, DETECT: result.objects is not None}
    return kinds.get(task, not any(kinds.values()))


def is_gone(result: Result) -> bool:
    """Return whether there is no answer because a board did not find the image in the hub."""
    return result.error is not None and result.error.kind == GONE


def flaw(result: Result, *, has_output: bool) -> str | None:
    """Return what is wrong with a result, whose output travels beside it; None if nothing is."""
    given = (result.top5, result.objects, result.error, has_output or None)
    if sum(each is not None for each in given) != 1 or result.output is not None:
        return "it has not one answer or one error"
    if result.error is not None and not KIND.fullmatch(result.error.kind):
        return "its error is of no kind"
    if result.board is not None and not (
        result.board.isprintable() and 0 < len(result.board) <= LONGEST_BOARD
    ):
        return "its board has no name"
    if len(result.top5 or ()) > MOST_CLASSES or (result.objects is None) != (result.size is None):
        return "its answer is of no task"
    ms = result.ms
    numbers = [ms.queue, ms.decode, ms.wait, ms.infer, ms.task, ms.total, result.read_at or 0.0]
    numbers += [each.score for each in result.top5 or ()]
    for found in result.objects or ():
        numbers += (found.score, *found.box)
    return None if all(map(isfinite, numbers)) else "one of its numbers is none"
