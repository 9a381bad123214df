"""Standard input, output and error, made safe to use whatever the caller has done to them."""

from __future__ import annotations

import io
import os
import sys
from typing import Final


class BestEffortFile(io.FileIO):
    """A file whose failed writes are forgotten: nobody is there to read them.

    When a terminal is lost, writing to it fails; the run must go on to its orderly end.
    """

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Write what can be written; gives the number of bytes that are done with."""
        try:
            written: int | None = super().write(data)
        except OSError:
            written = None
        # None, too, where somebody made the terminal non-blocking and it is full just now.
        return len(data) if written is None else written


def prepare() -> None:
    """Open what is closed, let no name be unprintable, and no message to the user end the run."""
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:  # closed: the next file opened would be taken for it
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - for the whole life
    else:
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(BestEffortFile(2, "w", closefd=False)),
        encoding=getattr(sys.stderr, "encoding", None) or "utf-8",
        errors="backslashreplace",
        line_buffering=True,
    )


STDIN: Final = "-"
