"""Standard input, output and error, made safe to use whatever state the caller left them in."""

from __future__ import annotations

import io
import os
import sys
from typing import Final

STDIN: Final = "-"


class BestEffortFile(io.FileIO):
    """A file whose failed writes are ignored.

    When a terminal is lost, writing to it fails; the run must still end in order.
    """

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Write as much of `data` as possible; return the number of bytes written or dropped."""
        try:
            written: int | None = super().write(data)
        except OSError:
            written = None
        # None also where somebody made the terminal non-blocking and it is full at the moment.
        return len(data) if written is None else written


class OutputFile(io.FileIO):
    """Standard output, whose errors name it."""

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """See io.FileIO."""
        try:
            return super().write(data)
        except OSError as error:
            raise OSError(error.errno, error.strerror, "standard output") from error


def prepare() -> None:
    """Open closed standard streams, escape unprintable names, ignore errors on standard error."""
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:  # closed: the next file to be opened would get this number
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - open until the process ends
    elif isinstance(sys.stdout, io.TextIOWrapper):
        file = OutputFile(sys.stdout.fileno(), "w", closefd=False)
        unbuffered = sys.stdout.write_through
        sys.stdout = io.TextIOWrapper(
            file if unbuffered else io.BufferedWriter(file),
            encoding=sys.stdout.encoding,
            errors="backslashreplace",
            line_buffering=sys.stdout.line_buffering,
            write_through=unbuffered,
        )
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(BestEffortFile(2, "w", closefd=False)),
        encoding=getattr(sys.stderr, "encoding", None) or "utf-8",
        errors="backslashreplace",
        line_buffering=True,
    )
