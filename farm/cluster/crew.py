"""The boards that work for a run: how many they are, how much they can have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from farm.cluster.jobs import MOST_IMAGES
from farm.cluster.ledger import Bound
from farm.cluster.presence import Presence
from farm.system.log import LOG

FEWEST_JOBS: Final = 8  # in the hub, whatever boards say
AHEAD_SECONDS: Final = 3.0  # of what they do
MOST_BYTES: Final = 64 << 20


class Crew:
    """The boards that serve a `queue`; it tells when the last one goes, and when one is back."""

    def __init__(self, queue: str, boards: Iterable[Presence]) -> None:
        self._queue = queue
        self.size, self.bound = 0, Bound(images=0, bytes=0)
        self._missing = False
        self.update(boards)

    def update(self, boards: Iterable[Presence]) -> None:
        """Take in which boards are there."""
        serving = [each for each in boards if self._queue in each.offer.queues()]
        self.size = len(serving)
        ahead = sum(each.window + AHEAD_SECONDS * each.rate for each in serving)
        images = max(FEWEST_JOBS * MOST_IMAGES, int(ahead))
        self.bound = Bound(images=images, bytes=MOST_BYTES)
        if self._missing == bool(serving):
            self._tell()

    def _tell(self) -> None:
        self._missing = not self._missing
        if self._missing:
            told = "no board that serves this run is left; waiting for one to join"
            LOG.warning(told, extra={"event": "no_board"})
        else:
            LOG.info("a board serves this run again", extra={"event": "board_back"})
