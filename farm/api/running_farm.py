"""What the runs of a farm share while it is up, and how it ends for them."""

from __future__ import annotations

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

    `leaving` is given when its `with` block is left.
    """

    config: FarmConfig
    plan: FarmPlan
    coordinator: Coordinator
    labels: Labels | None
    signals: Signals | None
    one_thread: OneThread
    leaving: Notice

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
            with closing(self.leaving):
                self.coordinator.close(drain_seconds=drain_seconds)

    def signals_seen(self) -> int:
        """Return how many signals have come."""
        return 0 if self.signals is None else self.signals.seen()
