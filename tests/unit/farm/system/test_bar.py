from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from rich.text import Text

from farm.system import bar, progress
from farm.system.bar import FEWEST_LINES, open_bar
from farm.system.progress import measuring
from tests.helpers.emulator import Emulator, emulator


@contextmanager
def a_screen(monkeypatch: pytest.MonkeyPatch, lines: int = 24) -> Iterator[Emulator]:
    """Standard error is a terminal of 80 columns."""
    monkeypatch.setenv("TERM", "xterm")
    for name in ("COLUMNS", "LINES", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    with emulator(80, lines) as terminal, os.fdopen(os.dup(terminal.there), "w") as stream:
        monkeypatch.setattr("sys.stderr", stream)
        yield terminal


def test_more_stands_below_a_bar_and_is_gone_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bar, "BELOW_SECONDS", 0.0)
    monkeypatch.setattr(progress, "MEASURING_SECONDS", 0.0)
    with a_screen(monkeypatch) as terminal:
        os.write(terminal.there, b"before\r\n")
        with measuring("3 runtimes", 10, below=lambda width: Text("#" * width + "\nmore")) as it:
            it.advance()
            terminal.shows("3 runtimes", "#" * 80, "more")
            assert terminal.lines[0] == "before"
        terminal.until(lambda: terminal.text.strip() == "before")


def test_a_small_terminal_has_a_bar_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bar, "BELOW_SECONDS", 0.0)
    monkeypatch.setattr(progress, "MEASURING_SECONDS", 0.0)
    asked: list[int] = []

    def below(width: int) -> str:
        asked.append(width)
        return "more"

    screen = a_screen(monkeypatch, FEWEST_LINES - 1)
    with screen as terminal, measuring("3 runtimes", 10, below=below) as shown:
        shown.advance()
        terminal.shows("3 runtimes", "1/10")
    assert asked == []


@pytest.mark.parametrize(("every", "at"), [(0.25, [0.75, 1.5, 2.25, 3.0]), (1.0, [1.0, 3.0])])
def test_what_stands_below_is_asked_for_now_and_then(
    every: float, at: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    now = 0.0

    def below(_width: int) -> str:
        asked.append(now)
        return "more"

    monkeypatch.setattr("time.monotonic", lambda: 0.0)
    with a_screen(monkeypatch), open_bar("images", 10, every=every) as shown:
        shown.below = below
        for step in range(1, 13):
            now = step * 0.25
            if step % round(every / 0.25) == 0:
                shown.show(now)
    assert asked == at
