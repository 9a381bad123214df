"""Short slices, for one thread alone; read back from the kernel."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import pytest

from tests.helpers.support import KNOWS_SLICES, slice_ns
from workers import sched_slice as slices


def in_a_thread(work: Callable[[], None]) -> None:
    """Do something that changes a thread, and leave this one as it is."""
    trouble: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except BaseException as error:
            trouble.append(error)

    thread = threading.Thread(target=guarded)
    thread.start()
    thread.join()
    for error in trouble:
        raise error


@pytest.mark.skipif(not KNOWS_SLICES, reason="threads choose their slice since Linux 6.12")
def test_a_thread_gets_the_shortest_slice_and_keeps_its_nice_value() -> None:
    def work() -> None:
        os.nice(1)
        nice = os.getpriority(os.PRIO_PROCESS, 0)
        assert slices.shorten()
        assert slice_ns(0) == slices.SHORTEST_NS
        assert os.getpriority(os.PRIO_PROCESS, 0) == nice

    before = slice_ns(0)
    in_a_thread(work)
    assert slice_ns(0) == before > slices.SHORTEST_NS


def test_a_policy_that_somebody_has_chosen_stays() -> None:
    def work() -> None:
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
        assert not slices.shorten()
        assert os.sched_getscheduler(0) == os.SCHED_BATCH

    in_a_thread(work)


def test_a_machine_whose_call_is_not_known_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert not slices.shorten()
