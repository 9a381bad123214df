"""A farm where hardly a descriptor is left: refused in words, not aborted by ZeroMQ."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.helpers import programs

# Takes all descriptors, then gives so many back, again and again.
PROGRAM = """
import os, resource
from farm.api import Farm
from farm.errors import StartError
from tests.helpers.support import simulated

resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
taken = []
try:
    while True:
        taken.append(os.dup(0))
except OSError:
    pass
for free in (0, 1, 2, 3, 5, 10, 20, 40):
    for fd in taken[:free]:
        os.close(fd)
    try:
        with Farm(simulated()):
            print("up with", free)
    except StartError as error:
        print(free, error)
    taken[:free] = [os.dup(0) for _ in range(free)]  # none of them was kept
for fd in taken:
    os.close(fd)
with Farm(simulated()) as farm:
    print(len(list(farm.classify([b""] * 9))), "results")
"""


def test_a_farm_without_enough_descriptors_is_refused_and_leaves_none(run_dirs: Path) -> None:
    done = programs.run(sys.executable, "-c", PROGRAM)
    assert done.returncode == 0, done.stderr
    *refused, last = done.stdout.splitlines()
    assert [line.split()[0] for line in refused] == ["0", "1", "2", "3", "5", "10", "20", "40"]
    assert all(programs.missing(("72", "ulimit -n"), line) == [] for line in refused)
    assert last == "9 results"
    assert list(run_dirs.iterdir()) == []
