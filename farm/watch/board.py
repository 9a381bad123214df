"""Reads a board's sensors for snapshots."""

from __future__ import annotations

from pathlib import Path

from farm.errors import SensorError
from farm.hardware import sensors
from farm.hardware.platforms import detect
from farm.system import memory
from farm.system.cpu_time import busy_by_cpu
from farm.watch.snapshot import Board


class BoardReader:
    """Reads the board below `root`, and how busy its CPUs were since it was last read."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root, self._soc = root, detect(root).soc
        self._at = 0.0
        self._busy: dict[int, float] = {}

    def read(self, now: float) -> Board:
        """Return the board at `now` (CLOCK_MONOTONIC seconds)."""
        sample = sensors.sample(self._root)
        before, self._busy = self._busy, busy_by_cpu(self._root / "proc")
        elapsed, self._at = now - self._at, now
        # The kernel counts in ticks: over a short time, the share can be beyond its limits.
        load = {
            cpu: min(1.0, max(0.0, (seconds - before[cpu]) / elapsed))
            for cpu, seconds in self._busy.items()
            if cpu in before and elapsed > 0
        }
        unknown = isinstance(sample.load, SensorError)
        return Board(
            soc=self._soc,
            npu_load=None if isinstance(sample.load, SensorError) else sample.load,
            no_npu_load=str(sample.load) if unknown else None,
            temperatures=sample.temperatures,
            clocks=sample.clocks,
            cpu_load=load,
            memory_mb=memory.total_mb(),
            available_mb=memory.available_mb(),
        )
