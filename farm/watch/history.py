"""What a viewer remembers of the snapshots that it has seen, for rates over time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from farm.watch.snapshot import RECENT_SECONDS, FarmFacts, Snapshot

KEPT: Final = 300  # points: more than most terminals have columns
APART: Final = 0.75  # seconds at least, so that each stands for about a second


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One farm at a moment: images that have ended, and answers by worker, since its start."""

    at: float
    ended: int
    images: dict[int, int]


@dataclass(frozen=True, slots=True)
class History:
    """The last snapshots of one farm, the oldest first."""

    farm: tuple[int, float] | None = None  # its process and start
    points: tuple[Point, ...] = field(default=())

    def after(self, snapshot: Snapshot) -> History:
        """Return the history with one more snapshot; that of another farm begins anew."""
        farm = snapshot.farm
        if farm is None:
            return History()
        which = (farm.pid, farm.started)
        points = self.points if which == self.farm else ()
        if points and snapshot.at - points[-1].at < APART:
            return self
        return replace(self, farm=which, points=(*points, _point(snapshot.at, farm))[-KEPT:])

    def rates(self) -> tuple[float, ...]:
        """Return the images per second between each two points."""
        pairs = zip(self.points, self.points[1:], strict=False)
        return tuple((new.ended - old.ended) / (new.at - old.at) for old, new in pairs)

    def worker_rate(self, index: int) -> float | None:
        """Return a worker's answers per second over the last RECENT_SECONDS; None if not known."""
        if len(self.points) < 2:
            return None
        last = self.points[-1]
        recent = (each for each in self.points if last.at - each.at <= RECENT_SECONDS)
        first = next(recent)
        if first is last:
            first = self.points[-2]
        before = first.images.get(index, 0)
        return max(0, last.images.get(index, 0) - before) / (last.at - first.at)


def _point(at: float, farm: FarmFacts) -> Point:
    images = {worker.index: worker.images for worker in farm.workers}
    return Point(at=at, ended=farm.ok + sum(farm.failures.values()), images=images)
