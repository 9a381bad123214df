"""Threads that read, draw and write pictures beside a run."""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Final

MOST_THREADS: Final = 4  # each may hold a whole picture
NICE: Final = 5  # a run's own work goes first
END_SECONDS: Final = 5.0  # which the largest picture takes; who takes longer, hangs


class Pool:
    """Up to MOST_THREADS threads that do one job after the other.

    At most `room` jobs wait; None is as many as there are.
    """

    def __init__(self, room: int | None = None) -> None:
        self._jobs: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._room, self._open = room, 0
        self._error: BaseException | None = None
        self._dropped = False
        self._change = threading.Condition()
        # Daemons: one that is stuck on a dead network share must not keep the program alive.
        self._threads = [
            threading.Thread(target=self._work, name=f"pictures-{number}", daemon=True)
            for number in range(min(MOST_THREADS, len(os.sched_getaffinity(0))))
        ]
        for thread in self._threads:
            thread.start()
        # Python kills threads when it ends, and one that is in C++ takes the program with it.
        atexit.register(self._end)

    def put(self, job: Callable[[], object]) -> None:
        """Have a job done; waits for room. Raises what an earlier job has raised."""
        with self._change:
            self._change.wait_for(lambda: self._room is None or self._open < self._room)
            self._check()
            self._open += 1
        self._jobs.put(job)

    def wait(self, seconds: float) -> bool:
        """Wait for the jobs, no longer than `seconds`; return whether all are done.

        Raises what one of them has raised.
        """
        with self._change:
            done = self._change.wait_for(lambda: not self._open or self._error is not None, seconds)
            self._check()
            return done

    def drop(self) -> None:
        """Forget the jobs that wait."""
        self._dropped = True

    def close(self) -> None:
        """Let the threads end once the jobs are done."""
        for _ in self._threads:
            self._jobs.put(None)

    def _end(self) -> None:
        self.drop()
        self.close()
        until = time.monotonic() + END_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        os.nice(NICE)  # of this thread alone
        while (job := self._jobs.get()) is not None:
            try:
                if not self._dropped:
                    job()
            except BaseException as error:  # raised where somebody waits for it
                with self._change:
                    self._error = self._error or error
            with self._change:
                self._open -= 1
                self._change.notify_all()
