"""How far a start, a run or a measurement is: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from farm.system import progress
from farm.system.progress import (
    Clock,
    measuring,
    open_progress,
    sign_of_life,
    starting,
    timing,
)
from tests.helpers.terminals import open_terminal, plain, read_to_end


def test_images_that_were_skipped_are_part_of_the_way(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "farm")
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    with open_progress(100, lines_on_terminal=False) as shown:
        shown.advance(skipped=90)
    (record,) = caplog.records
    assert vars(record)["images"] == 91
    assert "91 of 100 images" in record.getMessage()


@contextmanager
def a_screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """Standard error is a terminal of 80 columns; what it has shown once a text has come."""
    monkeypatch.setenv("TERM", "xterm")
    for name in ("COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    with open_terminal() as (here, there), os.fdopen(there, "w") as terminal:
        monkeypatch.setattr("sys.stderr", terminal)

        def until(text: str) -> str:
            terminal.flush()
            came = ""
            while text not in came:  # the test's time limit ends a wait for what never comes
                came += os.read(here, 1 << 16).decode()
            return plain(came)

        yield until


def test_a_start_shows_at_once_how_many_workers_are_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with a_screen(monkeypatch) as screen, starting(3) as tell:
        screen("0/3")
        tell(2)
        screen("2/3")
        tell(3)
        screen("3/3")


def test_a_measurement_shows_at_once_what_and_how_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "MEASURING_SECONDS", 0.0)
    size = ("15 runtimes", 100_000_000, 50_000_000)
    with a_screen(monkeypatch) as screen, measuring(*size) as bar:
        assert "15 runtimes" in screen("50000000/100000000")
        bar.advance()
        line = screen("50000001/100000000").splitlines()[-1]
        assert len(line) <= 80


def test_a_dumb_terminal_gets_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    with a_screen(monkeypatch) as screen:
        monkeypatch.setenv("TERM", "dumb")
        with starting(3) as tell, measuring("3 runtimes", 10) as bar:
            tell(3)
            bar.advance()
        sys.stderr.write("the end")
        assert screen("the end").splitlines()[-1] == "the end"


def test_a_measurement_by_the_clock_shows_at_once_what_and_the_time_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(progress, "MEASURING_SECONDS", 0.0)
    clock = Clock(passed=60.0, left=3661.0)
    with a_screen(monkeypatch) as screen, timing("size 15, decoders auto", clock) as bar:
        assert "size 15, decoders auto" in screen("at most 1:01:01")
        bar.advance()
        line = screen("at most 1:0").splitlines()[-1]
        assert len(line) <= 80


def test_a_sign_of_life_is_written_over_and_gone_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with a_screen(monkeypatch) as screen:
        with sign_of_life("starting ..."):
            assert screen("...") == "   starting ..."
            sys.stderr.write("\n")
            screen("\n")
        sys.stderr.write("x")
        assert screen("x") == "x"


def test_without_a_bar_a_start_is_a_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "farm")
    with sign_of_life("starting ..."), starting(3) as tell:
        tell(3)
    (record,) = caplog.records
    assert (vars(record)["event"], vars(record)["workers"]) == ("starting", 3)


def test_bars_have_no_colour_that_has_a_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    with open_terminal() as (here, there):
        with os.fdopen(there, "w") as terminal, monkeypatch.context() as replaced:
            replaced.setattr("sys.stderr", terminal)
            with measuring("3 runtimes", 10, 5):
                pass
            with starting(2) as tell:
                tell(2)
        shown = read_to_end(here)
    assert "5/10" in shown
    red_and_yellow = ("\x1b[31m", "\x1b[91m", "\x1b[33m", "\x1b[93m")
    assert [each for each in red_and_yellow if each in shown] == []
