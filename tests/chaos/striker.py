"""Signals to random workers of this process's farm, several times a second."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from contextlib import suppress
from typing import Final

from tests.helpers.support import children_of

KILLS: Final = (signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM)
FREEZES: Final = 0.4  # of the strikes
THAWS: Final = 0.5  # of the frozen go on later, and answer late; the others never do
LONGEST_FREEZE: Final = 3.0  # seconds


class Striker(threading.Thread):
    """Strikes about every `between` seconds, `most` times or until it is told to stop.

    `struck` counts the strikes by signal. The seed repeats who is struck, how and when, as far as
    the machine keeps time.
    """

    def __init__(self, seed: int, *, between: float, most: int) -> None:
        super().__init__(name="striker", daemon=True)
        self._chance = random.Random(seed)  # noqa: S311 - to be repeated, no secret
        self._between, self._most = between, most
        self._over = threading.Event()
        self._frozen: dict[int, float | None] = {}  # process id: when it goes on
        self.struck: Counter[str] = Counter()

    @property
    def frozen(self) -> int:
        """How many strikes froze a worker."""
        return self.struck[signal.SIGSTOP.name]

    @property
    def killed(self) -> int:
        """How many killed one."""
        return sum(self.struck.values()) - self.frozen

    def run(self) -> None:
        """See the class."""
        while self.killed + self.frozen < self._most:
            if self._over.wait(self._between * self._chance.uniform(0.5, 1.5)):
                return
            workers = sorted(children_of(os.getpid()))
            self._frozen = {pid: at for pid, at in self._frozen.items() if pid in workers}
            self._thaw(time.monotonic())
            self._strike([pid for pid in workers if pid not in self._frozen])

    def stop(self) -> None:
        """Strike no more."""
        self._over.set()
        self.join()

    def _strike(self, workers: list[int]) -> None:
        if not workers:
            return
        victim = self._chance.choice(workers)
        number = self._chance.choice(KILLS)
        if self._chance.random() < FREEZES:
            number = signal.SIGSTOP
            later = time.monotonic() + self._chance.uniform(0, LONGEST_FREEZE)
            self._frozen[victim] = later if self._chance.random() < THAWS else None
        with suppress(ProcessLookupError):  # it has just been replaced
            os.kill(victim, number)
            self.struck[number.name] += 1

    def _thaw(self, now: float) -> None:
        for pid, at in list(self._frozen.items()):
            if at is not None and at <= now:
                del self._frozen[pid]
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
