"""Threads do jobs beside a run: all of them, no more at a time than there is room for."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from farm.pictures.pool import MOST_THREADS, NICE, Pool
from tests.helpers.support import PATIENCE, ROOT


def test_all_jobs_are_done_at_a_lower_priority() -> None:
    pool, done = Pool(), []
    for number in range(100):
        pool.put(lambda number=number: done.append((number, os.nice(0))))  # type: ignore[misc]
    assert pool.wait(PATIENCE)
    assert sorted(done) == [(number, os.nice(0) + NICE) for number in range(100)]


def test_a_job_waits_for_room() -> None:
    pool, going, put = Pool(room=2), threading.Event(), []

    def put_three() -> None:
        for number in range(3):
            pool.put(lambda: going.wait(PATIENCE))
            put.append(number)

    putting = threading.Thread(target=put_three)
    putting.start()
    putting.join(0.1)
    assert put == [0, 1]
    going.set()
    putting.join(PATIENCE)
    assert put == [0, 1, 2]


def test_who_waits_is_told_when_it_takes_too_long() -> None:
    pool, going = Pool(), threading.Event()
    pool.put(lambda: going.wait(PATIENCE))
    assert not pool.wait(0.01)
    going.set()
    assert pool.wait(PATIENCE)


def test_what_a_job_raises_is_raised_where_it_is_waited_for() -> None:
    pool = Pool()

    def fail() -> None:
        raise OSError(28, "No space left on device")

    pool.put(fail)
    with pytest.raises(OSError, match="No space"):
        pool.wait(PATIENCE)
    with pytest.raises(OSError, match="No space"):
        pool.put(fail)


def test_there_are_few_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(64))
    before = set(threading.enumerate())
    pool = Pool()
    threads = set(threading.enumerate()) - before
    assert len(threads) == MOST_THREADS
    pool.close()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads)


def test_the_end_of_the_program_waits_for_what_is_being_done_and_drops_the_rest() -> None:
    """Else Python kills threads within OpenCV, which aborts."""
    program = """
import os, sys, time
from farm.pictures.pool import Pool
pool = Pool()
for number in range(100):
    pool.put(lambda: (os.write(1, b"begun "), time.sleep(0.2), os.write(1, b"done ")))
while not pool.wait(0.1) and pool._jobs.qsize() > 98:
    pass
sys.exit(3)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (3, "")
    begun, ended = (done.stdout.split().count(word) for word in ("begun", "done"))
    assert 0 < begun == ended < 100
