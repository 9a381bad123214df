"""What users are told: logging records with fields, as text for people or as JSON for programs."""

from __future__ import annotations

import json
import logging
import sys
from datetime import datetime
from itertools import chain
from typing import Any, Final

from farm.system.colour import WARNING, coloured
from farm.system.encodings import utf8
from farm.system.terminal import printable, width_of, wrapped

LOG: Final = logging.getLogger("farm")
SILENT: Final = logging.Logger("farm.silent", logging.CRITICAL + 1)  # for farms that only measure
TEXT: Final = "text"
JSON: Final = "json"
PLAN: Final = "plan"  # the event of what is told of a plan before its farm starts
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class TextFormatter(logging.Formatter):
    """The message, safe for a terminal; errors say that they are one, warnings have a colour.

    Lines are wrapped at blanks, except those that begin with two: commands, which can be pasted.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one or more lines for standard error."""
        prefix = "error: " if record.levelno >= logging.ERROR else ""
        lines = map(printable, f"{prefix}{record.getMessage()}".split("\n"))
        width = width_of(sys.stderr)
        fitting = ([line] if line.startswith("  ") else wrapped([line], width) for line in lines)
        text = "\n".join(chain.from_iterable(fitting))
        return coloured(text, sys.stderr, WARNING if record.levelno == logging.WARNING else None)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, message and the record's fields (event, worker ...)."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created).astimezone().isoformat(),
            "level": record.levelname.lower(),
            "message": utf8(record.getMessage()),
        }
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        fields = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        return json.dumps({**fields, **told}, default=str)


class _EachPlanOnce(logging.Filter):
    """Drops what was told of an earlier plan."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is new."""
        if getattr(record, "event", None) != PLAN:
            return True
        before = len(self._seen)
        self._seen.add(record.getMessage())
        return len(self._seen) > before


class _ToStderr(logging.StreamHandler):  # type: ignore[type-arg]  # Python 3.10 takes none
    """Writes to what is standard error at the time: a progress bar makes room for lines."""

    def emit(self, record: logging.LogRecord) -> None:
        """See logging.Handler."""
        self.stream = sys.stderr  # setStream flushes the one before, which may be closed
        super().emit(record)


def configure(form: str) -> None:
    """Write the records of LOG from INFO on to standard error, as TEXT or JSON."""
    handler = _ToStderr()
    handler.setFormatter(JsonFormatter() if form == JSON else TextFormatter())
    LOG.handlers[:] = [handler]
    LOG.setLevel(logging.INFO)


def tell_written(file: object) -> None:
    """Tell that a file is written: the last word on what a command was asked for."""
    LOG.info(f"Written: {file}", extra={"event": "written", "file": f"{file}"})


def writes_json() -> bool:
    """Return whether `configure` has chosen JSON."""
    return any(isinstance(handler.formatter, JsonFormatter) for handler in LOG.handlers)


def for_several_farms() -> logging.Logger:
    """Return a logger like LOG for farms of one config: what all plans have is told once."""
    logger = logging.Logger("farm.several")
    logger.parent = LOG
    logger.addFilter(_EachPlanOnce())
    return logger
