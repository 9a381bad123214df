"""How late the simulated NPU's inferences end on this machine, and what one costs in CPU.

    python -m tests.benchmarks.accuracy

Figures for docs/simulated.md; no test asserts them, as they are the machine's as much as ours.
"""

from __future__ import annotations

import resource
import tempfile
from pathlib import Path
from statistics import quantiles
from time import monotonic
from typing import Final

import numpy as np

from tests.helpers.support import worker_spec
from workers.protocol.spec import SimulatedSpec
from workers.runtimes.npu_timeline import Timelines
from workers.runtimes.simulated import SimulatedRuntime

RUNS: Final = 2000
SERVICE_MS: Final = 2.2
IMAGE: Final = np.random.default_rng(0).integers(0, 256, (1, 224, 224, 3), np.uint8)


class Ends(Timelines):
    """Time lines that remember when the last reservation ends."""

    last = 0.0

    def reserve(self, core: int, seconds: float) -> float:
        """See Timelines.reserve."""
        self.last = super().reserve(core, seconds)
        return self.last


def measured(service_ms: float, folder: str) -> tuple[list[float], float]:
    """Run inferences one by one: how late each ended, and CPU for each, in us."""
    npu = SimulatedSpec(
        timelines=str(Path(folder, "npu")), npu_cores=1, service_ms=service_ms, seed=0, classes=1000
    )
    runtime = SimulatedRuntime(worker_spec(runtime="simulated", simulated=npu))
    ends = runtime._timelines = Ends(npu.timelines, 1)
    late, before = [], cpu_seconds()
    for _ in range(RUNS):
        runtime.infer(IMAGE)
        late.append((monotonic() - ends.last) * 1e6)
    spent = (cpu_seconds() - before) / RUNS * 1e6
    runtime.close()
    return late, spent


def cpu_seconds() -> float:
    """User and system time of this thread."""
    used = resource.getrusage(resource.RUSAGE_THREAD)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        late, with_wait = measured(SERVICE_MS, folder)
        _, without = measured(0.0, folder)
    percentiles = quantiles(late, n=100)
    print(f"{RUNS} simulated inferences of {SERVICE_MS} ms:")
    print(f"  late by  p50 {percentiles[49]:.0f} us, p90 {percentiles[89]:.0f} us, "
          f"p99 {percentiles[98]:.0f} us")  # fmt: skip
    print(f"  CPU      {with_wait:.0f} us each, {without:.0f} us without the wait")


if __name__ == "__main__":
    main()
