"""Where results go: readable lines, JSON lines or CSV, each written as it comes."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol, TextIO

from farm.errors import OutputError, WriterError
from farm.results import Result
from farm.stats import PHASES
from farm.text import line
from workers.topk import K

BY_LINE: Final = 1  # a stopped run leaves whole lines
JSONL: Final = ".jsonl"
CSV: Final = ".csv"
CSV_HEAD: Final = (
    "id",
    "path",
    *(f"{what}{rank}" for rank in range(1, K + 1) for what in ("class", "label", "score")),
    "error_kind",
    "error_message",
    "worker",
    "attempts",
    *(f"{phase}_ms" for phase in PHASES),
    "simulated",
)


class Writer(Protocol):
    """Takes results, one at a time."""

    def write(self, result: Result) -> None:
        """Write one result; raises WriterError if that fails."""


@contextmanager
def open_writer(output: Path | None, quiet: bool) -> Iterator[Writer]:
    """Open what results go to: the file `output` (.jsonl or .csv), else lines on standard output.

    Raises OutputError for another suffix, or a file that can't be written.
    """
    if output is None:
        yield Silence() if quiet else Lines(sys.stdout)
        return
    if output.suffix not in (JSONL, CSV):
        raise OutputError(f"--output {output}: the name must end in {JSONL} or {CSV}")
    try:
        file = output.open("w", buffering=BY_LINE, encoding="utf-8", newline="")
    except OSError as error:
        raise OutputError(f"--output {output}: can't be made: {error.strerror}") from error
    try:
        yield JsonLines(file, output) if output.suffix == JSONL else Table(file, output)
    finally:
        _close(file, output)


class Silence:
    """Writes nothing."""

    def write(self, result: Result) -> None:
        """See Writer.write."""


class Lines:
    """One readable line per result."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, result: Result) -> None:
        """See Writer.write."""
        # Flushed: whoever reads a pipe gets each result when it is there, not 8 kB later.
        try:
            print(line(result), file=self._out, flush=True)
        except BrokenPipeError:
            raise  # whoever read has gone, as `head` does: nothing to tell anybody
        except OSError as error:
            reason = error.strerror
            raise WriterError(f"standard output: can't be written: {reason}") from error


class JsonLines:
    """One JSON object per line."""

    def __init__(self, file: TextIO, name: Path) -> None:
        self._file, self._name = file, name

    def write(self, result: Result) -> None:
        """See Writer.write."""
        text = json.dumps(as_dict(result)) + "\n"
        try:
            self._file.write(text)
        except OSError as error:
            raise _unwritable(self._name, error) from error


class Table:
    """A CSV table with a head line."""

    def __init__(self, file: TextIO, name: Path) -> None:
        self._csv, self._name = csv.writer(file), name
        self._write(CSV_HEAD)

    def write(self, result: Result) -> None:
        """See Writer.write."""
        top5 = [x for p in result.top5 or () for x in (p.class_id, p.label, f"{p.score:.6g}")]
        error = (result.error.kind, result.error.message) if result.error else ("", "")
        path = None if result.path is None else result.path.encode("utf-8", "replace").decode()
        padding = [""] * (3 * K - len(top5))
        ms = [f"{getattr(result.ms, phase):.3f}" for phase in PHASES]
        simulated = str(result.simulated).lower()
        self._write(
            (
                result.id,
                path,
                *top5,
                *padding,
                *error,
                result.worker,
                result.attempts,
                *ms,
                simulated,
            )
        )

    def _write(self, row: tuple[Any, ...]) -> None:
        try:
            self._csv.writerow(row)
        except OSError as error:
            raise _unwritable(self._name, error) from error


def as_dict(result: Result) -> dict[str, Any]:
    """A result as the JSON object that is documented in the README."""
    top5 = result.top5
    return {
        "id": result.id,
        "path": result.path,
        "top5": None
        if top5 is None
        else [{"class": p.class_id, "label": p.label, "score": round(p.score, 6)} for p in top5],
        "error": None
        if result.error is None
        else {"kind": result.error.kind, "message": result.error.message},
        "worker": result.worker,
        "attempts": result.attempts,
        "ms": {phase: round(getattr(result.ms, phase), 3) for phase in PHASES},
        "simulated": result.simulated,
    }


def _close(file: TextIO, name: Path) -> None:
    try:
        file.close()
    except OSError as error:
        raise _unwritable(name, error) from error


def _unwritable(name: Path, error: OSError) -> WriterError:
    return WriterError(f"--output {name}: can't be written: {error.strerror}")
