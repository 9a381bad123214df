"""A terminal with a program in it: its screen as a user sees it, its keys, its size."""

from __future__ import annotations

import codecs
import fcntl
import os
import select
import struct
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pyte

from tests.helpers.support import PATIENCE
from tests.helpers.terminals import ENV, open_terminal

TAKEN, GIVEN_BACK = "\x1b[?1049h", "\x1b[?1049l"  # the other screen of a terminal
NO_CURSOR, CURSOR = "\x1b[?25l", "\x1b[?25h"


class Emulator:
    """What has come from a terminal; `there` is the end for programs, `raw` all as it came."""

    def __init__(self, here: int, there: int, columns: int, lines: int) -> None:
        self._here, self.there = here, there
        self.raw, self._decoder = "", codecs.getincrementaldecoder("utf-8")()
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self.resize(columns, lines)

    @property
    def lines(self) -> list[str]:
        """The screen's lines, without blanks at their ends."""
        return [line.rstrip() for line in self._screen.display]

    @property
    def text(self) -> str:
        """All lines."""
        return "\n".join(self.lines)

    @property
    def modes(self) -> list[Any]:
        """How the terminal reads keys."""
        return termios.tcgetattr(self.there)

    @property
    def colours(self) -> set[str]:
        """The colours of all characters, in front of which and behind which."""
        cells = [cell for row in self._screen.buffer.values() for cell in row.values()]
        return {cell.fg for cell in cells} | {cell.bg for cell in cells}

    def resize(self, columns: int, lines: int) -> None:
        """Give the terminal another size, of which its programs are told."""
        fcntl.ioctl(self.there, termios.TIOCSWINSZ, struct.pack("4H", lines, columns, 0, 0))
        self._screen.resize(lines, columns)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._here, keys.encode())

    def until(self, fact: Callable[[], bool]) -> None:
        """Take what comes until something is true."""
        end = time.monotonic() + PATIENCE
        while not fact():
            assert time.monotonic() < end, self.text
            if select.select([self._here], (), (), 0.1)[0]:
                came = os.read(self._here, 1 << 16)
                self.raw += self._decoder.decode(came)  # a read may end amid a character
                self._stream.feed(came)

    def shows(self, *texts: str) -> None:
        """Take what comes until the screen has all of these."""
        self.until(lambda: all(text in self.text for text in texts))


@contextmanager
def emulator(columns: int = 80, lines: int = 24) -> Iterator[Emulator]:
    """Open a terminal for programs that are started with `in_terminal`."""
    with open_terminal(columns) as (here, there):
        try:
            yield Emulator(here, there, columns, lines)
        finally:
            os.close(there)


def in_terminal(there: int, **env: str) -> dict[str, Any]:
    """Return what a program with `setsid -c` before its words is started with."""
    kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    streams = {"stdin": there, "stdout": there, "stderr": there}
    return {**streams, "env": {**kept, **ENV, **env}, "text": False}
