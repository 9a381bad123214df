"""What a farm has done: rates and percentiles of the last seconds, counts since its start."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Final

from farm.results.latency import Histogram
from farm.results.result import stages
from farm.results.stats import PHASES_WITH_TASK as STAGES
from farm.results.stats import TASK
from farm.scheduler.events import Deliver
from farm.watch.snapshot import BOUNDS_MS, RECENT_SECONDS, Stage
from workers.protocol.messages import ItemError, Ranked

TASK_AT: Final = STAGES.index(TASK)  # not of a top-5 list: ranking takes no time worth a figure


@dataclass(slots=True)
class Totals:
    """Sums since the start of a farm, of images with an answer but for `failures`.

    `ms` by worker and the `histograms` are by stage, as STAGES has them.
    """

    failures: Counter[str] = field(default_factory=Counter)
    images: Counter[int] = field(default_factory=Counter)
    ms: dict[int, list[float]] = field(default_factory=dict)
    histograms: list[Histogram] = field(default_factory=lambda: [Histogram() for _ in STAGES])

    def copy(self) -> Totals:
        """Return a copy."""
        return Totals(
            Counter(self.failures),
            Counter(self.images),
            {worker: list(ms) for worker, ms in self.ms.items()},
            [histogram.copy() for histogram in self.histograms],
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
        outcome, worker, totals = ended.outcome, ended.worker, self.totals
        if isinstance(outcome, ItemError):
            totals.failures[outcome.kind] += 1
            return
        if outcome.error is not None:
            totals.failures[outcome.error.kind] += 1
            return
        if worker not in totals.ms:
            totals.ms[worker] = [0.0] * len(STAGES)
        totals.images[worker] += 1
        sums, ranked = totals.ms[worker], type(outcome.answer) is Ranked
        for at, took in enumerate(stages(ended.job, outcome, now)):
            if not (ranked and at == TASK_AT):
                sums[at] += took
                totals.histograms[at].add(took)

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
        before, made = self._marks[0][1].histograms, {}
        for name, histogram, earlier in zip(STAGES, self.totals.histograms, before, strict=True):
            if histogram.count:
                recent = histogram.since(earlier)
                made[name] = Stage(
                    p50=recent.percentile(50),
                    p90=recent.percentile(90),
                    p99=recent.percentile(99),
                    count=histogram.count,
                    sum_ms=histogram.sum,
                    buckets=histogram.cumulative(BOUNDS_MS),
                )
        return made

    def worker_ms(self, worker: int) -> dict[str, float]:
        """Return a worker's mean milliseconds by stage in the last RECENT_SECONDS."""
        before = self._marks[0][1]
        images = self.totals.images[worker] - before.images[worker]
        if not images:
            return {}
        earlier = before.ms.get(worker, [0.0] * len(STAGES))
        means = [
            (ms - past) / images for ms, past in zip(self.totals.ms[worker], earlier, strict=True)
        ]
        used = [bool(histogram.count) for histogram in self.totals.histograms]
        return {name: ms for name, ms, is_used in zip(STAGES, means, used, strict=True) if is_used}
