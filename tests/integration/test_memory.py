"""The farm's memory, with batches that would be gigabytes."""

from __future__ import annotations

import sys

from tests.helpers import programs

# All items are one array, which the farm copies; the growth of the process is in MB.
PROGRAM = """
import resource
import numpy as np
from farm.api import Farm
from tests.helpers.support import simulated

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

image = np.full((600, 600, 3), 7, np.uint8)
with Farm(simulated(size=2, npu_cores=[0, 1], batch=1024, simulated={"service_ms": 0})) as farm:
    list(farm.classify([image]))
    before = peak()
    results = list(farm.classify([image] * 512))
    print(len(results), sum(result.error is not None for result in results), peak() - before)
"""


def test_arrays_take_no_more_memory_in_batches_of_many() -> None:
    done = programs.run(sys.executable, "-c", PROGRAM)
    assert done.returncode == 0, done.stderr
    results, errors, grown = map(int, done.stdout.split())
    assert (results, errors) == (512, 0)
    # 32 MB and a batch wait, two batches are with each worker, some more are being sent.
    assert grown < 200
