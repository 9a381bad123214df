"""How long a worker may take for an answer: as the config says, or learned from those that came."""

from __future__ import annotations

from typing import Final

FIRST_LIMIT: Final = 60.0  # seconds, before anything is known
# The NPU's driver gives a job up after 6 s: an error that says so is better than a kill.
SHORTEST_LIMIT: Final = 10.0
GENEROSITY: Final = 20.0  # times the slowest that was seen: a kill repeats a batch's work


class BatchTimeout:
    """The time limit for a batch of at most `batch` items, in seconds; `limit` None: learned."""

    def __init__(self, limit: float | None, batch: int) -> None:
        self._said = limit
        self._batch = batch
        self._slowest = 0.0  # seconds per item

    def learn(self, seconds: float, items: int) -> None:
        """Take in that a batch of `items` items was answered after `seconds`."""
        self._slowest = max(self._slowest, seconds / items)

    @property
    def seconds(self) -> float:
        """Seconds that a batch may take from now on."""
        if self._said is not None:
            return self._said
        if self._slowest == 0.0:
            return FIRST_LIMIT
        return max(SHORTEST_LIMIT, GENEROSITY * self._slowest * self._batch)
