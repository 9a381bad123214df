"""A histogram of durations in logarithmic buckets, for percentiles in constant memory."""

from __future__ import annotations

import math
from collections import Counter
from typing import Final

BUCKET_RATIO: Final = 1.02  # neighbouring buckets: a percentile is right to 1 %
SMALLEST_MS: Final = 0.001


class Histogram:
    """Counts of durations in logarithmic buckets, for percentiles of any number of them."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self._sum = 0.0

    def add(self, ms: float) -> None:
        """Count one duration in milliseconds."""
        self._counts[round(math.log(max(ms, SMALLEST_MS), BUCKET_RATIO))] += 1
        self._sum += ms

    def include(self, other: Histogram) -> None:
        """Count what another has counted, too."""
        self._counts.update(other._counts)
        self._sum += other._sum

    @property
    def mean(self) -> float:
        """The mean of the durations in milliseconds, exact; 0 if there are none."""
        return self._sum / self._counts.total() if self._counts else 0.0

    def buckets(self) -> tuple[tuple[float, int], ...]:
        """How many durations there were, as (milliseconds, count) pairs in rising order."""
        return tuple((float(BUCKET_RATIO**at), self._counts[at]) for at in sorted(self._counts))

    def percentile(self, percent: float) -> float:
        """Milliseconds that `percent` per cent of the durations do not exceed; 0 if none."""
        target = self._counts.total() * percent / 100
        seen = 0
        for bucket in sorted(self._counts):
            seen += self._counts[bucket]
            if seen >= target:
                return float(BUCKET_RATIO**bucket)
        return 0.0
