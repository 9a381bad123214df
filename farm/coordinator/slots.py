"""The workers' slots: who is in each, its state, what it remembers of those before."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

from farm.coordinator.worker_process import WorkerProcess
from farm.scheduler.lifecycle import (
    BOOTING,
    OVER,
    Event,
    State,
    after,
    back_off,
    back_off_of_refusals,
    recent,
)
from farm.scheduler.same_model import difference
from farm.system.open_files import make_room
from workers.protocol.messages import Ready
from workers.protocol.spec import WorkerSpec
from workers.runtimes.base import ONNX

# Two pipes, a pidfd, a socket, two connections; and what a new fork server takes.
FILES_PER_START: Final = 16


@dataclass(slots=True)
class WorkerSlot:
    """A place for one worker, filled by one process after the other.

    `due` is when its state must have changed, `reason` why it last failed, `hangs` whether it gave
    no answer, `came_up` whether its present or last process was ready, `refusals` how many starts
    in a row the system has refused.
    """

    spec: WorkerSpec
    state: State = State.STARTING
    generation: int = 0
    process: WorkerProcess | None = None
    deaths: list[float] = field(default_factory=list)
    refusals: int = 0
    due: float = math.inf
    reason: str = ""
    hangs: bool = False
    ready: Ready | None = None
    came_up: bool = False

    def enter(self, event: Event, *, due: float = math.inf) -> None:
        """Go to the state that follows `event`; raises IllegalTransitionError."""
        self.state, self.due = after(self.state, event), due

    def died(self, *, now: float) -> float | None:
        """Count a death; return the seconds to wait before the next start, None to give up."""
        # Starts that all fail count however long each takes: a hang of 10 s, or the driver's time
        # limit of 6 s and a slow board, would never be often enough in a minute.
        counted = recent(self.deaths, now=now) if self.came_up else self.deaths
        self.deaths = [*counted, now]
        return back_off(len(self.deaths))

    def refused(self, *, alone: bool) -> float | None:
        """Count a start that the system refused; return what `died` does.

        `alone` is whether no other worker runs.
        """
        self.refusals += 1
        return back_off_of_refusals(self.refusals, alone=alone)


class Slots(tuple[WorkerSlot, ...]):
    """All slots of a farm, by the number of the worker."""

    __slots__ = ()

    @property
    def processes(self) -> list[WorkerProcess]:
        """All processes that are not known to be gone."""
        return [slot.process for slot in self if slot.process is not None]

    @property
    def watched(self) -> list[int]:
        """The descriptors of their processes to poll."""
        fds: list[int] = []
        for slot in self:
            if slot.process is not None:
                fds += slot.process.watched
        return fds

    @property
    def starting(self) -> bool:
        """Whether a worker's first start is still under way."""
        return any(slot.state in (State.STARTING, State.WAITING) for slot in self)

    @property
    def all_failed(self) -> bool:
        """Whether no worker is left, and none will come back."""
        return all(slot.state in OVER for slot in self)

    @property
    def cores_in_use(self) -> set[int]:
        """The NPU cores that have a worker, or will have one again."""
        return {slot.spec.npu_core for slot in self if slot.state not in OVER}

    @property
    def bad_cores(self) -> tuple[int, ...]:
        """The NPU cores whose workers are all given up; none where CPUs run the model."""
        if self[0].spec.runtime == ONNX:
            return ()
        broken = {slot.spec.npu_core for slot in self if slot.state is State.BROKEN}
        return tuple(sorted(broken - self.cores_in_use))

    def objection(self, message: Ready) -> str | None:
        """Return why a worker that is ready can't work beside those before it; None if it can."""
        ready = next((slot.ready for slot in self if slot.ready is not None), message)
        return difference(ready, message, self[0].spec)

    def of(self, worker: int, generation: int) -> WorkerSlot | None:
        """Return the slot of a worker; None if its present process is another one."""
        author = (worker, generation)
        return next((m for m in self if (m.spec.index, m.generation) == author), None)

    def make_room(self) -> None:
        """See to it that all workers that boot can open their files; raises OSError if not.

        They do so later than they are started, and ZeroMQ aborts the program where it can't accept
        a connection.
        """
        make_room(FILES_PER_START * sum(slot.state in BOOTING for slot in self))

    def reasons(self) -> list[str]:
        """Return why workers were given up, each reason once."""
        return list(dict.fromkeys(slot.reason for slot in self if slot.state is State.BROKEN))
