"""How the answers of each kind of task are written, and which kind a farm's task is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Protocol

from farm.results.objects_format import ObjectsFormat
from farm.results.output_format import OutputFormat
from farm.results.result import Result
from farm.results.top5_format import Top5Format


class AnswerFormat(Protocol):
    """How the answers of one kind of task are written; of a result with an error there are none.

    `key` is the answer's key in a JSON line, which every line has: it tells the kind. `csv_head`
    names the answer's columns, `phases` the times that are written with it.
    """

    key: str
    csv_head: tuple[str, ...]
    phases: tuple[str, ...]

    def as_json(self, result: Result) -> dict[str, Any]:
        """Return the answer's keys and values, as JSON has them; with an error, all are None."""

    def as_cells(self, result: Result) -> Iterator[tuple[Any, ...]]:
        """Give the answer's cells below `csv_head` for each row of a result, of at least one."""

    def as_text(self, result: Result, width: int) -> str:
        """Return an answer as one readable line of `width` characters at most, if that can be."""


OWN_TASK: Final = OutputFormat()
BUILT_IN: Final[dict[str, AnswerFormat]] = {"classify": Top5Format(), "detect": ObjectsFormat()}
KEYS: Final = frozenset({OWN_TASK.key, *(each.key for each in BUILT_IN.values())})


def format_of(task: str) -> AnswerFormat:
    """Return how a farm with this `task` writes its answers."""
    return BUILT_IN.get(task, OWN_TASK)
