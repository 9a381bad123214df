"""Where results are written: as text, JSON lines or CSV, each result at once and whole."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol, TextIO

from farm.errors import OutputError, WriterError
from farm.results.line_file import LineFile
from farm.results.result import Result
from farm.results.resume_index import ResumeIndex
from farm.results.stats import PHASES
from farm.results.text_line import to_text
from farm.system.colour import coloured
from farm.system.fd_writer import WriteDeadline, write_all
from farm.system.terminal import width_of
from workers.protocol.spec import K

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

    def write(self, result: Result, now: float, /) -> None:
        """Write one result, `now` (seconds); raises WriterError, InterruptedWriteError."""


@contextmanager
def open_writer(
    output: Path | None, quiet: bool, deadline: WriteDeadline, earlier: ResumeIndex | None = None
) -> Iterator[Writer]:
    """Open the file `output` (.jsonl or .csv) for results; without it, use standard output.

    An existing file is replaced; with `earlier`, results are appended after its whole lines, if it
    still has as many bytes as then. Raises OutputError for another suffix, or a file that can't be
    written.
    """
    if output is None:
        yield NullWriter() if quiet else TextLines(sys.stdout, deadline)
        return
    check_name(output)
    keep, expected = 0, None
    if earlier is not None:
        keep, expected = earlier.whole, earlier.whole + earlier.torn
    with LineFile(output, deadline, keep=keep, expected=expected) as file:
        yield JsonLines(file) if output.suffix == JSONL else CsvTable(file)


def check_name(output: Path) -> None:
    """Raise OutputError for another suffix than .jsonl and .csv, and for a folder that is none."""
    if output.suffix not in (JSONL, CSV):
        raise OutputError(f"--output {output}: the name must end in {JSONL} or {CSV}")
    if os.path.isdir(output):
        raise OutputError(f"--output {output}: it is a folder; name a file in it")
    if not os.path.isdir(output.parent):
        raise OutputError(f"--output {output}: {output.parent} is no folder; make it first")


def check_empty(output: Path) -> None:
    """Raise OutputError for a file with something in it."""
    if output.is_file() and (size := output.stat().st_size):
        resume = "--resume to add the images it lacks, or " if output.suffix == JSONL else ""
        raise OutputError(
            f"--output {output}: it has {size} bytes already; add {resume}--overwrite to replace it"
        )


class NullWriter:
    """Writes nothing."""

    def write(self, _result: Result, _now: float, /) -> None:
        """See Writer.write."""


class TextLines:
    """One readable line per result."""

    def __init__(self, out: TextIO, deadline: WriteDeadline) -> None:
        self._out, self._deadline = out, deadline

    def write(self, result: Result, _now: float, /) -> None:
        """See Writer.write."""
        text = to_text(result, width_of(self._out))
        if result.error is not None:
            text = coloured(text, self._out)
        data = f"{text}\n".encode(self._out.encoding, self._out.errors or "strict")
        # Past the stream's own buffer: a reader of a pipe gets each result at once, and what nobody
        # reads is not waited for again when the program ends.
        try:
            write_all(self._out.fileno(), data, self._deadline)
        except BrokenPipeError:
            raise  # the reader has gone, as `head` does: there is nobody to tell
        except OSError as error:
            reason = error.strerror
            raise WriterError(f"standard output: cannot write: {reason}") from error


class JsonLines:
    """One JSON object per line."""

    def __init__(self, file: LineFile) -> None:
        self._file = file

    def write(self, result: Result, now: float, /) -> None:
        """See Writer.write."""
        self._file.append(f"{json.dumps(as_dict(result))}\n".encode())
        self._file.sync_if_due(now)


class CsvTable:
    """A CSV table with a header line."""

    def __init__(self, file: LineFile) -> None:
        self._file = file
        self._file.append(_row(CSV_HEAD))

    def write(self, result: Result, now: float, /) -> None:
        """See Writer.write."""
        self._file.append(_row(as_cells(result)))
        self._file.sync_if_due(now)


def as_cells(result: Result) -> tuple[Any, ...]:
    """Return a result as the cells below CSV_HEAD."""
    top5 = [x for p in result.top5 or () for x in (p.class_id, p.label, f"{p.score:.6g}")]
    path = None if result.path is None else result.path.encode("utf-8", "replace").decode()
    return (
        result.id,
        path,
        *top5,
        *[""] * (3 * K - len(top5)),
        *((result.error.kind, result.error.message) if result.error else ("", "")),
        result.worker,
        result.attempts,
        *(f"{getattr(result.ms, phase):.3f}" for phase in PHASES),
        str(result.simulated).lower(),
    )


def _row(cells: tuple[Any, ...]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerow(cells)
    return text.getvalue().encode()


def as_dict(result: Result) -> dict[str, Any]:
    """Return a result as the JSON object that docs/run.md documents."""
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
