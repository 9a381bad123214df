"""Reads a board's sensors for snapshots."""

from __future__ import annotations

from collections import deque
from pathlib import Path

from farm.errors import SensorError
from farm.hardware import sensors
from farm.hardware.platforms import detect
from farm.system import memory
from farm.system.cpu_time import busy_by_cpu
from farm.watch.snapshot import Board


class BoardReader:
    """Reads the board below `root`; its CPUs' load is since the last mark but one."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root, self._soc = root, detect(root).soc
        self._marks: deque[tuple[float, dict[int, float]]] = deque(maxlen=2)

    def mark(self, now: float) -> None:
        """Note how busy the CPUs were until `now`; about once a second."""
        self._marks.append((now, busy_by_cpu(self._root / "proc")))

    def read(self, now: float) -> Board:
        """Return the board at `now` (CLOCK_MONOTONIC seconds)."""
        sample = sensors.sample(self._root)
        unknown = isinstance(sample.load, SensorError)
        return Board(
            soc=self._soc,
            npu_load=None if isinstance(sample.load, SensorError) else sample.load,
            no_npu_load=str(sample.load) if unknown else None,
            temperatures=sample.temperatures,
            clocks=sample.clocks,
            cpu_load=self._cpu_load(now),
            memory_mb=memory.total_mb(),
            available_mb=memory.available_mb(),
        )

    def _cpu_load(self, now: float) -> dict[int, float]:
        at, before = self._marks[0] if self._marks else (now, {})
        if now <= at:
            return {}
        # The kernel counts in ticks: over a short time, the share can be beyond its limits.
        return {
            cpu: min(1.0, max(0.0, (seconds - before[cpu]) / (now - at)))
            for cpu, seconds in busy_by_cpu(self._root / "proc").items()
            if cpu in before
        }
