"""A histogram of durations in logarithmic buckets, for percentiles in constant memory."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final

BUCKET_RATIO: Final = 1.02  # neighbouring buckets: a percentile is right to 1 %
SMALLEST_MS: Final = 0.001
LOG: Final = math.log(BUCKET_RATIO)  # once: each image is counted in five of these


class Histogram:
    """Counts of durations in logarithmic buckets, for percentiles of any number of them."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self._sum = 0.0

    def add(self, ms: float) -> None:
        """Count one duration in milliseconds."""
        self._counts[round(math.log(ms if ms > SMALLEST_MS else SMALLEST_MS) / LOG)] += 1
        self._sum += ms

    def include(self, other: Histogram) -> None:
        """Count what another has counted, too."""
        self._counts.update(other._counts)
        self._sum += other._sum

    def since(self, before: Histogram) -> Histogram:
        """Return what was counted after `before`, an earlier copy of this."""
        later = Histogram()
        later._counts, later._sum = self._counts - before._counts, self._sum - before._sum
        return later

    def copy(self) -> Histogram:
        """Return a copy."""
        return self.since(Histogram())

    @property
    def count(self) -> int:
        """How many durations there were."""
        return self._counts.total()

    @property
    def sum(self) -> float:
        """The sum of the durations in milliseconds, exact."""
        return self._sum

    @property
    def mean(self) -> float:
        """The mean of the durations in milliseconds, exact; 0 if there are none."""
        return self._sum / self._counts.total() if self._counts else 0.0

    def buckets(self) -> tuple[tuple[float, int], ...]:
        """How many durations there were, as (milliseconds, count) pairs in rising order."""
        return tuple((float(BUCKET_RATIO**at), self._counts[at]) for at in sorted(self._counts))

    def cumulative(self, bounds: Sequence[float]) -> tuple[int, ...]:
        """How many durations there were up to each of these, in milliseconds, right to 1 %."""
        buckets = self.buckets()
        return tuple(sum(count for ms, count in buckets if ms <= bound) for bound in bounds)

    def percentile(self, percent: float) -> float:
        """Milliseconds that `percent` per cent of the durations do not exceed; 0 if none."""
        target = self._counts.total() * percent / 100
        seen = 0
        for bucket in sorted(self._counts):
            seen += self._counts[bucket]
            if seen >= target:
                return float(BUCKET_RATIO**bucket)
        return 0.0
