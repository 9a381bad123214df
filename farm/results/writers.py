"""Where results are written: as text, JSON lines or CSV, each result at once and whole."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol, TextIO

from farm.errors import OutputError, WriterError
from farm.results.answer_format import AnswerFormat
from farm.results.line_file import LineFile
from farm.results.result import Result
from farm.results.resume_index import ResumeIndex
from farm.results.text_line import failure_line
from farm.system.colour import coloured
from farm.system.fd_writer import WriteDeadline, write_all
from farm.system.terminal import width_of

JSONL: Final = ".jsonl"
CSV: Final = ".csv"
CSV_BEGIN: Final = ("id", "path")  # before the answer's columns
CSV_AFTER: Final = ("error_kind", "error_message", "worker", "attempts")  # and after it


class Writer(Protocol):
    """Takes results, one at a time."""

    def write(self, result: Result, now: float, /) -> None:
        """Write one result, `now` (seconds); raises WriterError, InterruptedWriteError."""


@contextmanager
def open_writer(  # noqa: PLR0913 - where results go
    output: Path | None,
    quiet: bool,
    answers: AnswerFormat,
    deadline: WriteDeadline,
    earlier: ResumeIndex | None = None,
    *,
    run: str | None = None,
) -> Iterator[Writer]:
    """Open the file `output` (.jsonl or .csv) for results; without it, use standard output.

    Of a hub's `run`, they have their board, too.

    An existing file is replaced; with `earlier`, results are appended after its whole lines, if it
    still has as many bytes as then. Raises OutputError for another suffix, or a file that can't be
    written.
    """
    if output is None:
        yield NullWriter() if quiet else TextLines(sys.stdout, answers, deadline)
        return
    check_name(output)
    keep, expected = 0, None
    if earlier is not None:
        keep, expected = earlier.whole, earlier.whole + earlier.torn
    with LineFile(output, deadline, keep=keep, expected=expected) as file:
        yield (JsonLines if output.suffix == JSONL else CsvTable)(file, answers, run)


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

    def __init__(self, out: TextIO, answers: AnswerFormat, deadline: WriteDeadline) -> None:
        self._out, self._answers, self._deadline = out, answers, deadline

    def write(self, result: Result, _now: float, /) -> None:
        """See Writer.write."""
        if result.error is None:
            text = self._answers.as_text(result, width_of(self._out))
        else:
            text = coloured(failure_line(result), self._out)
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

    def __init__(self, file: LineFile, answers: AnswerFormat, run: str | None) -> None:
        self._file, self._answers, self._run = file, answers, run

    def write(self, result: Result, now: float, /) -> None:
        """See Writer.write."""
        values = as_dict(result, self._answers)
        if self._run is not None:
            values |= {"board": result.board, "run": self._run}
        self._file.append(f"{json.dumps(values)}\n".encode())
        self._file.sync_if_due(now)


class CsvTable:
    """A CSV table with a header line; a result's rows are written at once."""

    def __init__(self, file: LineFile, answers: AnswerFormat, run: str | None) -> None:
        self._file, self._answers, self._of_hub = file, answers, run is not None
        self._file.append(as_csv([(*head(answers), *(("board",) if self._of_hub else ()))]))

    def write(self, result: Result, now: float, /) -> None:
        """See Writer.write."""
        board = (result.board,) if self._of_hub else ()
        self._file.append(as_csv((*row, *board) for row in as_rows(result, self._answers)))
        self._file.sync_if_due(now)


def head(answers: AnswerFormat) -> tuple[str, ...]:
    """Return the names of a table's columns."""
    times = (f"{phase}_ms" for phase in answers.phases)
    return (*CSV_BEGIN, *answers.csv_head, *CSV_AFTER, *times, "simulated")


def as_rows(result: Result, answers: AnswerFormat) -> Iterator[tuple[Any, ...]]:
    """Give a result as the rows of a table, which differ in the answer's cells."""
    end = (
        *((result.error.kind, result.error.message) if result.error else ("", "")),
        result.worker,
        result.attempts,
        *(f"{getattr(result.ms, phase):.3f}" for phase in answers.phases),
        str(result.simulated).lower(),
    )
    for cells in answers.as_cells(result):
        yield result.id, result.path, *cells, *end


def as_csv(rows: Iterable[tuple[Any, ...]]) -> bytes:
    """Return rows as CSV; what UTF-8 can't hold, of a path or a reason, is a question mark."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


def as_dict(result: Result, answers: AnswerFormat) -> dict[str, Any]:
    """Return a result as the JSON object that docs/run.md documents."""
    return {
        "id": result.id,
        "path": result.path,
        **answers.as_json(result),
        "error": None
        if result.error is None
        else {"kind": result.error.kind, "message": result.error.message},
        "worker": result.worker,
        "attempts": result.attempts,
        "ms": {phase: round(getattr(result.ms, phase), 3) for phase in answers.phases},
        "simulated": result.simulated,
    }
