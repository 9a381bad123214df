"""What a farm has done: rates and percentiles of the last seconds, counts since its start."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field

from farm.results.latency import Histogram
from farm.results.result import timings
from farm.results.stats import PHASES, PHASES_WITH_TASK
from farm.scheduler.events import Deliver
from farm.watch.snapshot import BOUNDS_MS, RECENT_SECONDS, Stage
from workers.protocol.messages import ItemError, Ranked


@dataclass(slots=True)
class Totals:
    """Sums since the start of a farm, of images with an answer but for `failures`."""

    failures: Counter[str] = field(default_factory=Counter)
    images: Counter[int] = field(default_factory=Counter)
    ms: defaultdict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    stages: dict[str, Histogram] = field(default_factory=dict)

    def copy(self) -> Totals:
        """Return a copy."""
        return Totals(
            Counter(self.failures),
            Counter(self.images),
            defaultdict(Counter, {worker: Counter(ms) for worker, ms in self.ms.items()}),
            {stage: histogram.copy() for stage, histogram in self.stages.items()},
        )


class Counts:
    """A farm's sums, and what they were some seconds ago; times are CLOCK_MONOTONIC seconds."""

    def __init__(self, begun: float) -> None:
        self.totals = Totals()
        self._marks: deque[tuple[float, Totals]] = deque([(begun, Totals())])

    @property
    def ok(self) -> int:
        """How many images have got an answer."""
        return self.totals.images.total()

    def add(self, ended: Deliver, now: float) -> None:
        """Count what has ended `now`."""
        outcome, totals = ended.outcome, self.totals
        if isinstance(outcome, ItemError):
            totals.failures[outcome.kind] += 1
            return
        if outcome.error is not None:
            totals.failures[outcome.error.kind] += 1
            return
        ms = timings(ended.job, outcome, now)
        totals.images[ended.worker] += 1
        of_worker = totals.ms[ended.worker]
        for stage in PHASES if isinstance(outcome.answer, Ranked) else PHASES_WITH_TASK:
            took = getattr(ms, stage)
            of_worker[stage] += took
            if stage not in totals.stages:
                totals.stages[stage] = Histogram()
            totals.stages[stage].add(took)

    def mark(self, now: float) -> None:
        """Note how far the farm is: the last seconds may begin here. About once a second."""
        self._marks.append((now, self.totals.copy()))
        while len(self._marks) > 1 and self._marks[1][0] <= now - RECENT_SECONDS:
            self._marks.popleft()

    def rate(self, now: float) -> float:
        """Return the images per second of the last RECENT_SECONDS."""
        at, before = self._marks[0]
        return (self.ok - before.images.total()) / (now - at) if now > at else 0.0

    def stages(self) -> dict[str, Stage]:
        """Return how long images took, by stage."""
        before = self._marks[0][1].stages
        made = {}
        for name, histogram in self.totals.stages.items():
            recent = histogram.since(before.get(name, Histogram()))
            buckets = histogram.cumulative(BOUNDS_MS)
            made[name] = Stage(
                p50=recent.percentile(50),
                p90=recent.percentile(90),
                p99=recent.percentile(99),
                count=histogram.count,
                sum_ms=histogram.sum,
                buckets=buckets,
            )
        return made

    def worker_ms(self, worker: int) -> dict[str, float]:
        """Return a worker's mean milliseconds by stage in the last RECENT_SECONDS."""
        before = self._marks[0][1]
        images = self.totals.images[worker] - before.images[worker]
        if not images:
            return {}
        earlier = before.ms.get(worker, Counter())
        return {
            stage: (ms - earlier[stage]) / images for stage, ms in self.totals.ms[worker].items()
        }
