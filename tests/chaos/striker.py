"""Strikes this process's farm, several times a second."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

from tests.chaos.chance import Chance
from tests.chaos.faults import Fault


class Lasting(Protocol):
    """What must be looked after while it lasts."""

    def settle(self, now: float) -> None:
        """End what was to last until `now` (monotonic seconds)."""


class Striker(threading.Thread):
    """Strikes about every `between` seconds, in any order, with each fault as often as it says.

    `struck` counts the strikes by what they were, `most` is how many there are. The chance's seed
    repeats who is struck, how and when, as far as the machine keeps time.
    """

    def __init__(
        self,
        chance: Chance,
        faults: Mapping[Fault, int],
        others: Sequence[Lasting],
        *,
        between: float,
    ) -> None:
        super().__init__(name="striker", daemon=True)
        self._chance, self._between = chance, between
        self._lasting: list[Lasting] = [*faults, *others]
        self._next = [fault for fault, times in faults.items() for _ in range(times)]
        chance.shuffle(self._next)
        self._over = threading.Event()
        self.most, self.struck = len(self._next), Counter[str]()

    def run(self) -> None:
        """See the class."""
        while not self._over.wait(self._between * self._chance.uniform(0.5, 1.5)):
            for lasting in self._lasting:
                lasting.settle(time.monotonic())
            if self._next:
                fault = self._next.pop()
                if how := fault.strike():
                    self.struck[how] += 1
                else:  # later, when there is somebody
                    self._next.insert(0, fault)

    def stop(self) -> None:
        """Strike no more."""
        self._over.set()
        self.join()
