"""CPU time and memory of a tree of processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from farm.system.process_usage import (
    CpuTimes,
    cpu_seconds,
    cpu_times,
    pss_mb,
    tree,
)
from tests.helpers.support import wait_for

BURN = "x = 0\nwhile True: x += 1"


@pytest.fixture
def burning() -> Iterator[int]:
    with subprocess.Popen([sys.executable, "-c", BURN]) as process:
        yield process.pid
        process.kill()


FAMILY = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
zombie = subprocess.Popen(["/bin/true"])
print(child.pid, zombie.pid, flush=True)
input()
child.kill()
"""


def test_all_descendants_are_found_but_zombies() -> None:
    with (
        subprocess.Popen(["/bin/sleep", "60"]) as sibling,
        subprocess.Popen(
            [sys.executable, "-c", FAMILY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as parent,
    ):
        assert parent.stdout is not None
        child, zombie = map(int, parent.stdout.readline().split())
        assert wait_for(
            lambda: psutil.Process(zombie).status() == psutil.STATUS_ZOMBIE, within=20.0
        )
        found = tree(parent.pid)
        assert (found.root, found.inner, found.leaves) == (parent.pid, (), (child,))
        ours = tree(os.getpid())
        assert parent.pid in ours.inner
        assert {child, sibling.pid} <= set(ours.leaves)
        assert {parent.pid, child, sibling.pid} <= set(ours.below)
        parent.communicate("\n")
        sibling.kill()


def test_cpu_time_is_the_roots_its_descendants_or_others() -> None:
    before = CpuTimes(root=1, processes={1: 10.0, 2: 5.0, 3: 7.0}, machine=100.0)
    after = CpuTimes(root=1, processes={1: 10.5, 2: 6.0, 4: 0.25}, machine=103.0)
    use = after.since(before)
    assert (use.root, use.below, use.others) == (0.5, 1.25, 1.25)  # 3 has ended, its time is lost


@pytest.mark.parametrize(("machine", "others"), [(None, None), (100.4, 0.0)])
def test_the_time_of_others_is_never_negative(machine: float | None, others: float | None) -> None:
    before = CpuTimes(root=1, processes={1: 10.0}, machine=100.0)
    after = CpuTimes(root=1, processes={1: 10.5}, machine=machine)
    assert after.since(before).others == others


def test_the_work_of_a_descendant_is_counted(burning: int) -> None:
    assert burning in tree(os.getpid()).leaves
    before = cpu_times(os.sched_getaffinity(0))
    assert wait_for(
        lambda: cpu_times(os.sched_getaffinity(0)).since(before).below > 0.05, within=20.0
    )
    assert (pss_mb(burning) or 0.0) > 1.0


def test_threads_of_a_process_count_also_when_they_have_ended() -> None:
    script = (
        "import threading, time\n"
        "def burn():\n"
        "    while time.thread_time() < 0.1: pass\n"
        "thread = threading.Thread(target=burn); thread.start(); thread.join()\n"
        "print(flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as threaded:
        assert threaded.stdout is not None
        threaded.stdout.readline()
        assert (cpu_seconds(threaded.pid) or 0.0) >= 0.1
        threaded.kill()


def test_a_process_that_is_gone_has_no_cpu_time_and_no_memory() -> None:
    process = subprocess.Popen(["/bin/true"])
    process.wait()
    assert cpu_seconds(process.pid) is None
    assert pss_mb(process.pid) is None
