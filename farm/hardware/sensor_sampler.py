"""The sensors' samples during a run, summed up: mean NPU load, highest temperature, clock drops."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Final

from farm.errors import SensorError
from farm.hardware.sensors import Sample

INTERVAL_SECONDS: Final = 0.5

# Once a second the driver notes how busy the second before was (RKNPU_LOAD_INTERVAL in its
# rknpu_drv.c): the figure's second may have begun two seconds ago, and so before the run.
LOAD_REACHES_BACK_SECONDS: Final = 2.0
TOO_SHORT: Final = (
    f"NPU load: the run was shorter than the {LOAD_REACHES_BACK_SECONDS:g} s that the kernel's "
    "figure needs; repeat the images more often (-r)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """One clock's deepest drop: from its highest MHz until then to a lower one."""

    clock: str
    before: int
    after: int
    governor: str | None

    @property
    def depth(self) -> int:
        """The difference in MHz."""
        return self.before - self.after


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """NPU load, temperature and clocks during a run; empty or None where they are unknown.

    `load` is the mean share (0 to 1) by core over `load_samples`; `no_load` is the reason if there
    is none. `hottest` is a zone and its degrees C. `drops` is None where no clock was read twice.
    """

    load: tuple[float, ...]
    load_samples: int
    no_load: str | None
    hottest: tuple[str, float] | None
    drops: tuple[Drop, ...] | None


class Sampler:
    """Sums up the samples of a run that began at `begun`; times are CLOCK_MONOTONIC seconds."""

    def __init__(self, *, begun: float) -> None:
        self._begun = begun
        self._due = begun
        self._busy: defaultdict[int, float] = defaultdict(float)
        self._counts: Counter[int] = Counter()
        self._problem: SensorError | None = None
        self._hottest: tuple[str, float] | None = None
        self._peaks: dict[str, int] = {}
        self._compared = False
        self._drops: dict[str, Drop] = {}

    def due(self, now: float) -> bool:
        """Return whether it is time for the next sample."""
        return now >= self._due

    def add(self, sample: Sample, *, now: float) -> None:
        """Count a sample taken at `now`."""
        self._due = now + INTERVAL_SECONDS
        if isinstance(sample.load, SensorError):
            self._problem = sample.load
        elif now - self._begun >= LOAD_REACHES_BACK_SECONDS:
            for core, share in enumerate(sample.load):
                self._busy[core] += share
                self._counts[core] += 1
        for zone in sample.temperatures.items():
            self._hottest = max(self._hottest or zone, zone, key=lambda pair: pair[1])
        for clock in sample.clocks:
            self._compared |= clock.name in self._peaks
            peak = self._peaks[clock.name] = max(self._peaks.get(clock.name, 0), clock.mhz)
            known = self._drops.get(clock.name)
            if peak - clock.mhz > (known.depth if known else 0):
                self._drops[clock.name] = Drop(
                    clock=clock.name, before=peak, after=clock.mhz, governor=clock.governor
                )

    def conditions(self) -> Conditions:
        """Return the sum of what was counted so far."""
        no_load = None
        if not self._counts:
            no_load = str(self._problem) if self._problem is not None else TOO_SHORT
        return Conditions(
            load=tuple(self._busy[core] / self._counts[core] for core in sorted(self._counts)),
            load_samples=max(self._counts.values(), default=0),
            no_load=no_load,
            hottest=self._hottest,
            drops=tuple(self._drops.values()) if self._compared else None,
        )
