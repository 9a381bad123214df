"""The simulated NPU's time lines: one job after the other on a core, and how busy it has been."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from tests.helpers.support import ROOT, wait_for
from workers.runtimes import npu_timeline as module
from workers.runtimes.npu_timeline import Busy, Timelines, look

STEP = 2**-16  # seconds; a power of two, so that sums of it are exact
RESERVATIONS = 3000

# Tells of each reservation: when it was asked for, when that returned, when it ends.
RESERVE_OFTEN = f"""
import sys
from time import monotonic
from workers.runtimes.npu_timeline import Timelines
timelines = Timelines(sys.argv[1], 2)
print("ready", flush=True)
sys.stdin.readline()
told = []
for _ in range({RESERVATIONS}):
    asked = monotonic()
    end = timelines.reserve(1, {STEP})
    told.append((asked, monotonic(), end))
for times in told:
    print(*times)
"""
HANG_IN_RESERVE = """
import sys
from workers.runtimes import npu_timeline as timelines
opened = timelines.Timelines(sys.argv[1], 2)
def hang():
    print("holding", flush=True)
    sys.stdin.readline()
timelines.monotonic = hang
opened.reserve(0, 1.0)
"""


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "monotonic", clock)
    return clock


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "npu")


@pytest.fixture
def timelines(path: str) -> Iterator[Timelines]:
    opened = Timelines(path, 2)
    yield opened
    opened.close()


def child(program: str, path: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, path],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def is_locked(path: str) -> bool:
    with open(path, "r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_a_free_core_is_taken_from_now_on(timelines: Timelines, clock: Clock) -> None:
    assert timelines.reserve(0, 5.0) == clock.now + 5.0


def test_the_clock_is_the_one_that_sleeps_go_by(timelines: Timelines) -> None:
    before = time.monotonic()
    end = timelines.reserve(0, 100.0)
    assert before + 100.0 <= end <= time.monotonic() + 100.0


def test_reservations_of_one_core_queue_up(timelines: Timelines, clock: Clock) -> None:
    first = timelines.reserve(0, 100.0)
    clock.now += 1.0
    assert timelines.reserve(0, 50.0) == first + 50.0
    assert timelines.reserve(0, 25.0) == first + 75.0


def test_two_cores_do_not_wait_for_each_other(timelines: Timelines, clock: Clock) -> None:
    timelines.reserve(0, 100.0)
    assert timelines.reserve(1, 1.0) == clock.now + 1.0


def test_a_core_whose_time_is_over_is_free_again(timelines: Timelines, clock: Clock) -> None:
    over = timelines.reserve(0, 2.0)
    clock.now = over + 7.0
    assert timelines.reserve(0, 1.0) == clock.now + 1.0


def test_what_lies_ahead_is_not_busy_time_yet(timelines: Timelines, clock: Clock) -> None:
    for core, seconds in ((0, 4.0), (1, 1.0), (0, 2.0)):
        timelines.reserve(core, seconds)
    seen = []
    for clock.now in (100.0, 100.5, 101.0, 105.0, 106.0, 200.0):
        seen.append(timelines.busy())
    assert [busy.at for busy in seen] == [100.0, 100.5, 101.0, 105.0, 106.0, 200.0]
    assert [busy.seconds[0] for busy in seen] == [0.0, 0.5, 1.0, 5.0, 6.0, 6.0]
    assert [busy.seconds[1] for busy in seen] == [0.0, 0.5, 1.0, 1.0, 1.0, 1.0]


def test_a_core_that_was_idle_in_between_was_not_busy_then(
    timelines: Timelines, clock: Clock
) -> None:
    timelines.reserve(0, 1.0)
    clock.now = 200.0
    timelines.reserve(0, 10.0)
    clock.now = 204.0
    assert timelines.busy() == Busy(204.0, (5.0, 0.0))


def test_the_load_is_the_share_of_the_time_between_two_looks() -> None:
    before, after = Busy(10.0, (3.0, 1.0, 0.0)), Busy(14.0, (7.0, 2.0, 0.0))
    assert after.load_since(before) == (1.0, 0.25, 0.0)


def test_two_looks_at_one_moment_show_no_load() -> None:
    assert Busy(10.0, (3.0,)).load_since(Busy(10.0, (3.0,))) == (0.0,)


def test_no_rounding_makes_a_load_of_more_than_all_or_less_than_none() -> None:
    assert Busy(2.0, (1.0 + 1e-12, 0.0)).load_since(Busy(1.0, (0.0, 1e-12))) == (1.0, 0.0)


def test_a_second_opener_sees_and_keeps_what_is_there(
    timelines: Timelines, path: str, clock: Clock
) -> None:
    end = timelines.reserve(0, 100.0)
    other = Timelines(path, 2)
    assert other.reserve(0, 1.0) == end + 1.0
    other.close()
    clock.now = end + 1.0
    assert timelines.busy().seconds == (101.0, 0.0)


def test_closing_twice_is_harmless_and_keeps_the_file(path: str, clock: Clock) -> None:
    timelines = Timelines(path, 2)
    clock.now = timelines.reserve(1, 3.0)
    timelines.close()
    timelines.close()
    assert look(path, 2) == Busy(clock.now, (0.0, 3.0))


def test_many_processes_share_a_core_without_overlap_or_loss_in_the_order_they_came(
    timelines: Timelines, path: str
) -> None:
    children = [child(RESERVE_OFTEN, path) for _ in range(3)]
    assert [said(process) for process in children] == ["ready"] * 3
    for process in children:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate()[0] for process in children]
    assert [process.returncode for process in children] == [0, 0, 0]
    told = [tuple(map(float, line.split())) for text in answers for line in text.splitlines()]
    told.sort(key=lambda times: times[2])
    assert len(told) == 3 * RESERVATIONS
    # To 1 us: the ends are sums, each rounded, of seconds since the machine was started.
    assert all(end - earlier > STEP - 1e-6 for (*_, earlier), (*_, end) in pairwise(told))
    latest_ask = 0.0
    for asked, returned, _ in told:  # nobody who had an answer comes after one who then asked
        assert returned >= latest_ask
        latest_ask = max(latest_ask, asked)
    assert wait_for(lambda: time.monotonic() >= told[-1][2], within=5.0)
    assert timelines.busy().seconds == (0.0, 3 * RESERVATIONS * STEP)


@pytest.mark.timeout(20)
def test_a_worker_killed_while_it_reserves_does_not_block_the_others(
    timelines: Timelines, path: str
) -> None:
    with child(HANG_IN_RESERVE, path) as process:
        assert said(process) == "holding"
        assert is_locked(path)
        timelines.reserve(1, 1.0)  # nor does it block other cores while it lives
        process.kill()
    assert not is_locked(path)
    assert timelines.reserve(0, 1.0) <= time.monotonic() + 1.0
