"""Pseudo terminals: what a program writes to one, as bytes of a terminal's language or without."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import termios
from collections.abc import Iterator
from contextlib import contextmanager

ENV = {"TERM": "xterm-256color"}  # one that shows all


@contextmanager
def open_terminal(columns: int = 80) -> Iterator[tuple[int, int]]:
    """Open a terminal of 24 lines; return the end to read from, and the end for programs.

    A program has its own copy of its end: with ours closed, reading ends when the program does.
    """
    here, there = pty.openpty()
    fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
    try:
        yield here, there
    finally:
        os.close(here)


def read_to_end(here: int) -> str:
    """Read what programs write until all have closed the terminal."""
    came = b""
    while True:
        try:
            came += os.read(here, 1 << 16)
        except OSError:  # EIO: nobody has it open any more
            return came.decode()


def plain(text: str) -> str:
    """Return a text without escape sequences and carriage returns."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\r", "", text)
