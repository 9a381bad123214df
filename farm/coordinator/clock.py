"""The farm's time: it passes only while the coordinator looks."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

LONGEST_STEP: Final = 1.0  # seconds


class Clock:
    """The seconds that count for workers, as `read` does, without those nobody has looked.

    A coordinator that was stopped (Ctrl-Z, `docker pause`), or whose user took long between two
    polls, has not read what its workers have answered. So from one call of `now` to the next no
    more than LONGEST_STEP passes, unless a longer wait was `expected`.
    """

    def __init__(self, read: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._seen = self._now = read()

    def now(self, expected: float = 0.0) -> float:
        """Return the farm's time, after a wait that was to take up to `expected` seconds."""
        seen = self._read()
        self._now += min(seen - self._seen, max(expected, LONGEST_STEP))
        self._seen = seen
        return self._now
