"""What is to be known of a farm that is up: its plan, its losses, its NPU, a snapshot."""

from __future__ import annotations

from typing import Final

from farm.api.running_farm import RunningFarm
from farm.api.submitter import Submitter
from farm.errors import FarmError
from farm.hardware import sensors
from farm.scheduler.placement import FarmPlan
from farm.system.ownership import Single
from farm.watch.snapshot import Snapshot
from farm.watch.viewer import look
from workers.runtimes import npu_timeline
from workers.runtimes.npu_timeline import Busy

LOOK_SECONDS: Final = 10.0  # for a thread that drives the farm to show it


class Observed(Single):
    """A farm as far as it is only looked at."""

    def __init__(self) -> None:
        self._running: RunningFarm | None = None
        self._submitter: Submitter | None = None
        self._npu_seen: Busy | None = None

    @property
    def plan(self) -> FarmPlan:
        """Who runs where; raises FarmError outside the `with` block."""
        return self._up().plan

    @property
    def model_sha256(self) -> str:
        """The SHA-256 of the model that all workers have opened; a simulated NPU has none."""
        slots = self._up().coordinator.supervisor.slots
        return next(slot.ready.model for slot in slots if slot.ready is not None)

    @property
    def reading(self) -> str:
        """How the task reads the model's outputs: a detector's family, scores as they are or not.

        Of a task of the user's, it is its module, with what tells that from another version.
        """
        slots = self._up().coordinator.supervisor.slots
        return next(slot.ready.reading for slot in slots if slot.ready is not None)

    @property
    def labels(self) -> tuple[str, ...] | None:
        """The names of the classes, None where there are none."""
        labels = self._up().labels
        return None if labels is None else labels.names

    @property
    def losses(self) -> int:
        """How many times a worker that was up has been lost."""
        return self._up().coordinator.facts.losses.total()

    @property
    def strays(self) -> int:
        """How many messages were dropped: invalid, or waited for by nobody."""
        return self._up().coordinator.facts.strays

    @property
    def bad_cores(self) -> tuple[int, ...]:
        """The NPU cores that are left out: no worker could start on them, or stay."""
        return self._up().coordinator.supervisor.slots.bad_cores

    @property
    def snapshot_address(self) -> str:
        """Where farm.watch.viewer.Viewer sees this farm, from any process of this user."""
        return self._up().coordinator.snapshot_address

    def snapshot(self) -> Snapshot:
        """Return what is to be seen of the farm now."""
        running = self._up()
        if self._submitter is not None:
            return look(running.coordinator.snapshot_address, LOOK_SECONDS)
        with running.entered():
            return running.coordinator.facts.snapshot()

    def npu_busy_seconds(self) -> tuple[float, ...] | None:
        """Return how long each simulated NPU core has worked; None for a real runtime."""
        seen = self._look_at_npu()
        return seen.seconds if seen is not None else None

    def npu_load(self) -> tuple[float, ...]:
        """Return the share (0 to 1) of time in which each NPU core worked.

        Of a simulated NPU, since this was last asked or the farm was up. Of a real one, in the
        last full second, as its kernel tells; see farm.hardware.sensors.load_text. Raises
        SensorError where it does not.
        """
        before, self._npu_seen = self._npu_seen, self._look_at_npu()
        if before is None or self._npu_seen is None:
            return sensors.npu_load()
        return self._npu_seen.load_since(before)

    def _up(self) -> RunningFarm:
        if self._running is None:
            raise FarmError("the farm is not started: use it in a `with` block")
        self._running.coordinator.check_owned()
        return self._running

    def _look_at_npu(self) -> Busy | None:
        npu = self.plan.workers[0].simulated
        return npu_timeline.look(npu.timelines, npu.npu_cores) if npu is not None else None
