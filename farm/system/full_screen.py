"""A terminal's whole screen, drawn again and again, in the end as before; or one picture on it."""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Final

from rich.console import Console, RenderableType

from farm.errors import EXIT_SIGNAL_BASE, ConfigError
from farm.system.log import LOG
from farm.system.signals import CAUGHT
from farm.system.terminal import UNKNOWN, obeys, width_of

ENDING: Final = (*CAUGHT, signal.SIGQUIT)
WAKING: Final = (signal.SIGWINCH, signal.SIGCONT, signal.SIGTSTP)
KEYBOARD: Final = 0
USUAL_LINES: Final = 24  # of a terminal that does not tell, as a serial one
LAST_SECONDS: Final = 2  # for a terminal that takes nothing, as after Ctrl-S, to be given back


class FullScreen:
    """The screen of standard output, and its keyboard, if standard input is one."""

    def __init__(self, wakes: int) -> None:
        self._wakes = wakes
        self._keyboard = os.isatty(KEYBOARD)
        self._before: list[Any] = []
        self._console = Console(file=sys.stdout, highlight=False)

    @property
    def fds(self) -> tuple[int, ...]:
        """What gets readable when there is reason to ask for keys and to draw again."""
        return (self._wakes, KEYBOARD) if self._keyboard else (self._wakes,)

    @property
    def size(self) -> tuple[int, int]:
        """The columns and lines of the terminal now."""
        columns, lines = os.get_terminal_size(sys.stdout.fileno())
        return columns or UNKNOWN, lines or USUAL_LINES

    def keys(self) -> str:
        """Return what was typed since, without waiting. Ctrl-Z stops the program meanwhile."""
        signals = b""
        with suppress(BlockingIOError):
            signals = os.read(self._wakes, select.PIPE_BUF)
        if signal.SIGTSTP in signals:
            self.give_back()
            os.kill(os.getpid(), signal.SIGSTOP)
            self.take()
        if not (self._keyboard and select.select([KEYBOARD], (), (), 0)[0]):
            return ""
        typed = os.read(KEYBOARD, select.PIPE_BUF)
        self._keyboard = typed != b""  # the terminal is gone
        return typed.decode("ascii", "replace")

    def draw(self, what: RenderableType) -> None:
        """Fill the screen with a picture of its size."""
        self._console.size = self.size
        self._console.update_screen(what)

    def take(self) -> None:
        """Keep what is on the terminal, and how it reads keys."""
        if self._keyboard:
            self._before = termios.tcgetattr(KEYBOARD)
            tty.setcbreak(KEYBOARD)
        self._console.set_alt_screen(True)
        self._console.show_cursor(False)

    def give_back(self) -> None:
        """Make the terminal as it was before; what was typed and not read is dropped."""
        self._console.show_cursor(True)
        self._console.set_alt_screen(False)
        if self._before:
            termios.tcsetattr(KEYBOARD, termios.TCSAFLUSH, self._before)


def check_screen() -> None:
    """Raise ConfigError unless standard output is a terminal that can be drawn on."""
    if not obeys(sys.stdout):
        raise ConfigError(
            "standard output is no terminal that can be drawn on: --once prints one picture"
        )


def print_picture(draw: Callable[[int], RenderableType]) -> None:
    """Print a picture of any number of lines, which `draw` makes for a number of columns."""
    width = width_of(sys.stdout) if sys.stdout.isatty() else UNKNOWN
    Console(file=sys.stdout, width=width, highlight=False).print(draw(width), crop=False)


@contextmanager
def full_screen() -> Iterator[FullScreen]:
    """Have the whole terminal during the block; enter it in the main thread, once in a program.

    A signal that ends programs ends the block by SystemExit, with 128 plus its number.
    """
    wakes, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    screen = FullScreen(wakes)
    LOG.disabled = True  # a line amid the picture would be no picture
    for number in (*ENDING, *WAKING):
        if signal.getsignal(number) != signal.SIG_IGN:  # as `nohup` ignores SIGHUP
            signal.signal(number, _end if number in ENDING else _wake)
    try:
        try:
            screen.take()
            yield screen
        finally:
            _ignore_signals()  # one that comes before that does so itself, and nothing is left out
    finally:
        signal.alarm(LAST_SECONDS)
        with suppress(OSError, termios.error):  # the terminal is gone
            screen.give_back()
        signal.alarm(0)
        LOG.disabled = False


def _end(number: int, _frame: FrameType | None) -> None:
    _ignore_signals()
    raise SystemExit(EXIT_SIGNAL_BASE + number)


def _ignore_signals() -> None:
    for number in (*ENDING, signal.SIGTSTP):
        signal.signal(number, signal.SIG_IGN)


def _wake(_number: int, _frame: FrameType | None) -> None:
    """Let Python write the number to the descriptor that is waited on."""
