"""Whoever reserves a core when: it never does two jobs at once, and is busy while it does one."""

from __future__ import annotations

import tempfile
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from workers.runtimes import npu_timeline as module
from workers.runtimes.npu_timeline import Timelines

# Whole numbers of seconds, so that sums are exact: how long after the one before, for how long.
JOBS = st.lists(st.tuples(st.integers(0, 15), st.integers(0, 8)), max_size=12)
REST = (12 * 8, 0)  # after that, all of them have ended


class Run:
    """When each job began and ended, and what was told of the busy time, every second."""

    def __init__(self, jobs: list[tuple[int, int]]) -> None:
        self.now = 0.0
        self.jobs: list[tuple[float, float]] = []
        self.told: list[tuple[float, float]] = []
        with tempfile.TemporaryDirectory() as folder, patch.object(module, "monotonic", self.clock):
            timelines = Timelines(str(Path(folder, "npu")), 1)
            for gap, seconds in [*jobs, REST]:
                for _ in range(gap):
                    self.told.append((self.now, timelines.busy().seconds[0]))
                    self.now += 1
                end = timelines.reserve(0, seconds)
                self.jobs.append((end - seconds, end))
            timelines.close()

    def clock(self) -> float:
        return self.now


def worked(jobs: list[tuple[float, float]], now: float) -> float:
    return sum(max(0.0, min(end, now) - begin) for begin, end in jobs)


@given(JOBS)
def test_a_core_does_one_job_at_a_time_in_the_order_they_came(jobs: list[tuple[int, int]]) -> None:
    done = Run(jobs).jobs
    assert all(end <= begin for (_, end), (begin, _) in pairwise(done))


@given(JOBS)
def test_at_every_moment_the_busy_time_is_what_was_worked_until_then(
    jobs: list[tuple[int, int]],
) -> None:
    run = Run(jobs)
    assert run.told == [(now, worked(run.jobs, now)) for now, _ in run.told]
