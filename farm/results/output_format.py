"""What a task of the user's has returned as JSON, CSV and text."""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Iterator
from typing import Any, Final

from farm.results.result import Result
from farm.results.stats import PHASES_WITH_TASK
from farm.results.text_line import beginning_of
from farm.system.terminal import printable

SHORTEST: Final = 20  # characters of an output that even the narrowest terminal gets
CUT: Final = "..."


class OutputFormat:
    """See AnswerFormat."""

    key = "output"
    csv_head: tuple[str, ...] = ("output",)
    phases: tuple[str, ...] = PHASES_WITH_TASK

    def as_json(self, result: Result) -> dict[str, Any]:
        """See AnswerFormat.as_json."""
        return {self.key: as_plain_json(result.output)}

    def as_cells(self, result: Result) -> Iterator[tuple[Any, ...]]:
        """See AnswerFormat.as_cells; the cell is JSON."""
        yield ("" if result.error is not None else json.dumps(as_plain_json(result.output)),)

    def as_text(self, result: Result, width: int) -> str:
        """See AnswerFormat.as_text; JSON, cut where the width ends."""
        begin = beginning_of(result)
        text, room = compact(result.output), max(width - len(begin), SHORTEST)
        return begin + (text if len(text) <= room else f"{text[: room - len(CUT)]}{CUT}")


def compact(value: Any) -> str:
    """Return an output as JSON for people: short, on one line, escaped for a terminal."""
    return printable(json.dumps(as_plain_json(value), ensure_ascii=False, separators=(",", ":")))


def as_plain_json(value: Any) -> Any:
    """Return what msgpack can hold as what JSON can: bytes as base64, no NaN, keys that are texts.

    A map of which two keys are the same as text is a list of pairs.
    """
    match value:
        case float():
            return value if math.isfinite(value) else None
        case bytes():
            return b64encode(value).decode()
        case list() | tuple():
            return [as_plain_json(each) for each in value]
        case dict():
            pairs = [[as_plain_json(key), as_plain_json(each)] for key, each in value.items()]
            named = {key if type(key) is str else json.dumps(key): each for key, each in pairs}
            return named if len(named) == len(pairs) else pairs
    return value
