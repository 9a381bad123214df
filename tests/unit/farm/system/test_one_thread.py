"""A thread is refused while another one is inside, and told when it must leave."""

from __future__ import annotations

import select
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from farm.errors import FarmError
from farm.system.deferred_handlers import Paused
from farm.system.one_thread import Notice, OneThread

LONG = 60.0


@pytest.fixture
def other() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as other:
        yield other


def enter(guard: OneThread, patience: float = 0.0) -> None:
    with guard.entered(patience):
        pass


def test_another_thread_is_refused_while_one_is_inside(other: ThreadPoolExecutor) -> None:
    guard = OneThread()
    with guard.entered():
        enter(guard)
        with pytest.raises(FarmError, match="another thread"):
            other.submit(enter, guard).result(LONG)
    other.submit(enter, guard).result(LONG)
    enter(guard)


def test_who_has_patience_gets_in_once_the_other_is_out(other: ThreadPoolExecutor) -> None:
    guard, inside, out = OneThread(), threading.Event(), threading.Event()

    def stay() -> None:
        with guard.entered():
            inside.set()
            assert out.wait(LONG)

    stays: Future[None] = other.submit(stay)
    assert inside.wait(LONG)
    with pytest.raises(FarmError, match="another thread"):
        enter(guard, 0.02)
    threading.Timer(0.05, out.set).start()
    enter(guard, LONG)
    stays.result(LONG)


def test_an_error_inside_lets_others_in(other: ThreadPoolExecutor) -> None:
    guard = OneThread()
    with pytest.raises(OSError, match="inside"), guard.entered():
        raise OSError("inside")
    other.submit(enter, guard).result(LONG)


def test_a_notice_that_is_given_stays_readable() -> None:
    notice, poller = Notice(), select.poll()
    poller.register(notice.fd, select.POLLIN)
    assert poller.poll(0) == []
    for _ in range(2):
        notice.give()
        assert notice.given
        assert poller.poll(0) == [(notice.fd, select.POLLIN)]
    notice.close()


def test_what_the_programs_code_raises_breaks_nothing_whatever_other_threads_do(
    other: ThreadPoolExecutor,
) -> None:
    """Between its way out of the Paused and out of the whole, another thread ends a step."""
    ours, theirs = OneThread(), OneThread()

    def step() -> None:
        with ours.entered():
            try:
                with Paused():
                    raise ValueError("of a source")
            finally:
                other.submit(enter, theirs).result(LONG)

    with pytest.raises(ValueError, match="of a source"):
        step()
    assert ours.broken == ""
