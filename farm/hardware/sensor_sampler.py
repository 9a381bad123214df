"""What the sensors told while a run lasted: mean NPU load, highest temperature, dropped clocks."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Final

from farm.errors import SensorError
from farm.hardware.sensors import Clock, Sample

INTERVAL_SECONDS: Final = 0.5

# Once a second the driver notes how busy the second before was (RKNPU_LOAD_INTERVAL in its
# rknpu_drv.c): what it tells may have begun two seconds ago, and so before the run.
LOAD_REACHES_BACK_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """One clock's deepest fall: from its highest MHz until then to a lower one."""

    clock: str
    before: int
    after: int
    governor: str | None

    @property
    def depth(self) -> int:
        """MHz lost."""
        return self.before - self.after


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What held during a run; empty or None where nothing was told.

    `load` is the mean share of 1 by core over `load_samples`; `no_load` says why there is none.
    `hottest` is a zone and its degrees C. `drops` is None where no clock was seen twice.
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
        self._seen: Counter[int] = Counter()
        self._problem: SensorError | None = None
        self._hottest: tuple[str, float] | None = None
        self._peaks: dict[str, int] = {}
        self._compared = False
        self._drops: dict[str, Drop] = {}

    def due(self, now: float) -> bool:
        """Whether it is time for the next sample."""
        return now >= self._due

    def add(self, sample: Sample, *, now: float) -> None:
        """Count what the sensors told `now`."""
        self._due = now + INTERVAL_SECONDS
        if isinstance(sample.load, SensorError):
            self._problem = sample.load
        elif now - self._begun >= LOAD_REACHES_BACK_SECONDS:
            self._add_load(sample.load)
        for zone in sample.temperatures.items():
            self._hottest = max(self._hottest or zone, zone, key=lambda pair: pair[1])
        for clock in sample.clocks:
            self._add_clock(clock)

    def conditions(self) -> Conditions:
        """Sum up what was counted so far."""
        return Conditions(
            load=tuple(self._busy[core] / self._seen[core] for core in sorted(self._seen)),
            load_samples=max(self._seen.values(), default=0),
            no_load=None if self._seen else self._why_no_load(),
            hottest=self._hottest,
            drops=tuple(self._drops.values()) if self._compared else None,
        )

    def _add_load(self, shares: tuple[float, ...]) -> None:
        for core, share in enumerate(shares):
            self._busy[core] += share
            self._seen[core] += 1

    def _why_no_load(self) -> str:
        if self._problem is not None:
            return str(self._problem)
        return (
            f"NPU load: the kernel's figure takes {LOAD_REACHES_BACK_SECONDS:g} s to tell of the "
            f"run alone; for that long, repeat the images more often (-r)"
        )

    def _add_clock(self, clock: Clock) -> None:
        self._compared |= clock.name in self._peaks
        peak = self._peaks[clock.name] = max(self._peaks.get(clock.name, 0), clock.mhz)
        known = self._drops.get(clock.name)
        if peak - clock.mhz > (known.depth if known else 0):
            self._drops[clock.name] = Drop(
                clock=clock.name, before=peak, after=clock.mhz, governor=clock.governor
            )
