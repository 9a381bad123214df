from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from types import FrameType
from typing import Any

import pytest

from farm.system import deferred_handlers
from farm.system.deferred_handlers import HANDLERS, Deferred, Paused

ONE, TWO = signal.SIGUSR1, signal.SIGUSR2


class SignalError(Exception):
    """What a handler raises."""


class Program:
    """Has handlers that note their signals; `raises` is the one that raises."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.raises: int | None = None

    def handle(self, number: int, _frame: FrameType | None) -> None:
        self.seen.append(number)
        if number == self.raises:
            raise SignalError


class Strike:
    """The signal ONE at the `at`-th of the `lines` that run in the module while it is traced."""

    def __init__(self, at: int) -> None:
        self.at, self.lines = at, 0

    def trace(self, frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename != deferred_handlers.__file__:
            return None
        if event == "line":
            self.lines += 1
            if self.lines == self.at:
                signal.raise_signal(ONE)
        return self.trace


@pytest.fixture
def program() -> Iterator[Program]:
    program = Program()
    handler = program.handle
    before = {number: signal.signal(number, handler) for number in (ONE, TWO)}
    yield program
    with Deferred():
        pass
    assert not HANDLERS.installed
    for number, old in before.items():
        assert signal.signal(number, old) is handler, "a handler is the program's again"


def test_handlers_wait_until_the_end_and_run_in_order(program: Program) -> None:
    with Deferred():
        signal.raise_signal(TWO)
        signal.raise_signal(ONE)
        assert program.seen == []
    assert program.seen == [TWO, ONE]
    signal.raise_signal(ONE)
    assert program.seen == [TWO, ONE, ONE]


def test_handlers_wait_for_the_outermost_end(program: Program) -> None:
    with Deferred():
        with Deferred():
            signal.raise_signal(ONE)
        assert program.seen == []
    assert program.seen == [ONE]


def test_handlers_run_at_once_in_a_pause_after_those_that_wait(program: Program) -> None:
    with Deferred():
        signal.raise_signal(ONE)
        with Paused():
            assert program.seen == [ONE]
            signal.raise_signal(TWO)
            assert program.seen == [ONE, TWO]
        signal.raise_signal(ONE)
        assert program.seen == [ONE, TWO]
    assert program.seen == [ONE, TWO, ONE]


def test_a_handler_that_raises_in_a_pause_ends_it(program: Program) -> None:
    program.raises = ONE
    with Deferred():
        signal.raise_signal(ONE)
        with pytest.raises(SignalError), Paused():
            raise AssertionError("a pause begins with those that wait")
        with pytest.raises(SignalError), Paused():
            signal.raise_signal(ONE)
        signal.raise_signal(TWO)
        assert program.seen == [ONE, ONE]
    assert program.seen == [ONE, ONE, TWO]


def test_within_a_pause_all_may_begin_anew(program: Program) -> None:
    with Deferred():
        with Paused():
            with Deferred(), Paused():
                signal.raise_signal(ONE)
                assert program.seen == [ONE]
            signal.raise_signal(ONE)
            assert program.seen == [ONE, ONE]
        signal.raise_signal(TWO)
        assert program.seen == [ONE, ONE]


def test_all_that_wait_run_once_though_one_raises(program: Program) -> None:
    program.raises = ONE
    with pytest.raises(SignalError), Deferred():
        list(map(signal.raise_signal, (ONE, TWO, ONE, TWO)))
    assert program.seen == [ONE, TWO]


def test_a_handler_that_the_program_sets_meanwhile_stays(program: Program) -> None:
    handler = signal.getsignal(ONE)
    with Deferred(), Paused():
        signal.signal(ONE, signal.SIG_IGN)
        signal.raise_signal(ONE)
    assert signal.signal(ONE, handler) == signal.SIG_IGN
    assert program.seen == []
    with Deferred():
        signal.raise_signal(ONE)
        assert program.seen == []
    assert program.seen == [ONE]


def test_in_another_thread_nothing_waits(program: Program) -> None:
    def enter() -> None:
        with Deferred(), Paused():
            found.append(signal.getsignal(ONE))

    found: list[Any] = []
    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert found == [program.handle]


def test_a_signal_at_any_moment_is_handled_once_and_leaves_all_in_order(program: Program) -> None:
    """At the n-th line that runs in the module, for every n."""
    program.raises = ONE
    strike = Strike(0)
    while strike.at <= strike.lines:
        strike, program.seen = Strike(strike.at + 1), []
        sys.settrace(strike.trace)
        try:
            with Deferred(), Deferred():
                with Paused():
                    pass
                with Paused():
                    pass
        except SignalError:
            pass
        finally:
            sys.settrace(None)
        with Deferred():
            pass
        assert program.seen == ([ONE] if strike.at <= strike.lines else [])
        assert (HANDLERS.installed, HANDLERS.wait) == (False, False)
        assert signal.getsignal(ONE) == signal.getsignal(TWO) == program.handle
    assert strike.at > 50


def test_one_that_raises_amid_a_delivery_leaves_none_waiting(program: Program) -> None:
    """At the n-th line that runs in the module while another one waits, for every n."""
    program.raises = ONE
    strike = Strike(0)
    while strike.at <= strike.lines:
        strike, program.seen = Strike(strike.at + 1), []
        with suppress(SignalError), Deferred():
            signal.raise_signal(TWO)
            sys.settrace(strike.trace)
        sys.settrace(None)
        seen = list(program.seen)
        with suppress(SignalError), Deferred():
            pass
        assert program.seen == seen
    assert strike.at > 10
