"""What the runs of a farm share while it is up, and how it ends for them."""

from __future__ import annotations

import _thread
import sys
import warnings
from contextlib import closing
from dataclasses import dataclass

from farm.config.labels import Labels
from farm.config.schema import FarmConfig
from farm.coordinator.coordinator import Coordinator
from farm.errors import FarmError
from farm.scheduler.placement import FarmPlan
from farm.system.one_thread import Notice, OneThread, Whole
from farm.system.signals import Signals


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningFarm:
    """What all runs of a farm share while it is up; `labels` names the classes.

    `leaving` is given when its `with` block is left. One that is dropped without that, and by all
    its runs, is closed with a ResourceWarning.
    """

    config: FarmConfig
    plan: FarmPlan
    coordinator: Coordinator
    labels: Labels | None
    signals: Signals | None
    one_thread: OneThread
    leaving: Notice

    def __del__(self) -> None:
        unclosed = not (self.coordinator.closed or self.coordinator.disowned)
        if unclosed and not sys.is_finalizing():  # the program's end is that of its workers
            # By a thread, as the garbage collector may come amid a step of another farm, and by a
            # bare one, as it may come amid `threading`.
            _thread.start_new_thread(_close, (self.coordinator, self.leaving))
            # Last: a program may make errors of warnings.
            warnings.warn("a farm was dropped: use it in a `with` block", ResourceWarning, 2, self)

    @property
    def fds(self) -> tuple[int, ...]:
        """What gets readable when a signal comes, or the farm's `with` block is left."""
        leaving = self.leaving.fd
        return (leaving,) if self.signals is None else (self.signals.fd, leaving)

    def entered(self) -> Whole:
        """Keep other threads and signal handlers out; see OneThread.

        FarmError in a fork, and in a farm that an exception has left with a step half done.
        """
        self.coordinator.check_owned()
        if self.one_thread.broken:
            raise FarmError(
                f"{self.one_thread.broken} has come amid a step of this farm, which may have lost "
                "images: leave its `with` block, and open it again"
            )
        return self.one_thread.entered()

    def check_up(self) -> None:
        """Raise FarmError once the `with` block is left; if nobody waits to close, close."""
        if self.leaving.given:
            self.close(drain_seconds=0)
            raise FarmError("the farm of this run is no longer up")

    def close(self, *, drain_seconds: float) -> None:
        """Stop all workers, as Coordinator.close; a farm that is closed is left alone."""
        if not self.coordinator.closed:
            _close(self.coordinator, self.leaving, drain_seconds=drain_seconds)

    def signals_seen(self) -> int:
        """Return how many signals have come."""
        return 0 if self.signals is None else self.signals.seen()


def _close(coordinator: Coordinator, leaving: Notice, *, drain_seconds: float = 0) -> None:
    with closing(leaving):
        coordinator.close(drain_seconds=drain_seconds)
