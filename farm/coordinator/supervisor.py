"""All workers of a farm: started, watched, restarted after a back-off, stopped."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from farm.coordinator.fork_server import ForkServer
from farm.coordinator.limits import Limits
from farm.coordinator.notices import Notices
from farm.coordinator.worker_process import WorkerProcess
from farm.errors import StartError
from farm.scheduler.events import Kill, WorkerDown, WorkerUp
from farm.scheduler.lifecycle import BOOTING, NEXT, OVER, Event, State, after, back_off, recent
from workers.protocol import startup as steps
from workers.protocol.messages import Failed, Ready
from workers.protocol.sockets import Context
from workers.protocol.spec import WorkerSpec
from workers.runtimes.base import ONNX

Change = WorkerUp | WorkerDown
LEAVE_SECONDS: Final = 5.0  # for a worker that was asked to go
TERM_SECONDS: Final = 1.0  # from SIGTERM to SIGKILL


@dataclass(slots=True)
class WorkerSlot:
    """A place for one worker, filled by one process after the other.

    `due` is when its state must have changed, `reason` why it last failed, `hangs` whether it gave
    no answer, `came_up` whether its present or last process was ready.
    """

    spec: WorkerSpec
    state: State = State.STARTING
    generation: int = 0
    process: WorkerProcess | None = None
    deaths: list[float] = field(default_factory=list)
    due: float | None = None
    reason: str = ""
    hangs: bool = False
    ready: Ready | None = None
    came_up: bool = False


class Supervisor:
    """The workers' processes and states; `log` gets what a user should know.

    A worker that takes longer than `limits` allow to open its runtime, or to pass its self-test,
    is killed. A worker that can't start has no second try, and an NPU core on which none can is
    left out.
    """

    def __init__(
        self, specs: Sequence[WorkerSpec], context: Context, limits: Limits, log: logging.Logger
    ) -> None:
        self.slots = [WorkerSlot(spec) for spec in specs]
        self._context, self._limits = context, limits
        self._server = ForkServer(specs[0].run_dir, specs[0].max_pixels)
        self.notices = Notices(log, specs[0].runtime)
        self.strays = 0

    def launch(self, *, now: float) -> None:
        """Start every worker's process; they report Ready later."""
        for slot in self.slots:
            self._spawn(slot, now)

    def processes(self) -> list[WorkerProcess]:
        """Return all processes that are not known to be gone."""
        return [m.process for m in self.slots if m.process is not None]

    @property
    def starting(self) -> bool:
        """Whether a worker's first start is still under way."""
        return any(slot.state is State.STARTING for slot in self.slots)

    @property
    def all_failed(self) -> bool:
        """Whether no worker is left, and none will come back."""
        return all(slot.state in OVER for slot in self.slots)

    def reasons(self) -> list[str]:
        """Return why workers were given up, each reason once."""
        return list(dict.fromkeys(m.reason for m in self.slots if m.state is State.BROKEN))

    def bad_cores(self) -> tuple[int, ...]:
        """Return the NPU cores whose workers are all given up; none where CPUs run the model."""
        if self.slots[0].spec.runtime == ONNX:
            return ()
        broken = {m.spec.npu_core for m in self.slots if m.state is State.BROKEN}
        return tuple(sorted(broken - self._cores_in_use))

    def deadline(self) -> float | None:
        """Return when `tick` has something to do, if nothing else happens."""
        return min((m.due for m in self.slots if m.due is not None), default=None)

    def on_message(self, message: Ready | Failed, *, now: float) -> list[Change]:
        """Take in what a worker reports; what does not fit its state is counted as stray."""
        reported = Event.READY if isinstance(message, Ready) else Event.FAILED
        author = (message.worker, message.generation)
        slot = next((m for m in self.slots if (m.spec.index, m.generation) == author), None)
        # It may come twice, or cross with the worker's being given up because it was slow.
        if slot is None or (slot.state, reported) not in NEXT:
            self.strays += 1
            return []
        if isinstance(message, Ready):
            return self._ready(slot, message)
        return self._failed(slot, message.message, now)

    def on_output(self, worker: int, *, now: float) -> None:
        """Take in what a worker has printed; its self-test has a time limit of its own."""
        slot = self.slots[worker]
        if slot.process is not None:
            before = slot.process.log.step
            slot.process.listen()
            if slot.state in BOOTING and before != slot.process.log.step == steps.SELF_TEST:
                slot.due = now + self._limits.self_test_seconds

    def on_exit(self, worker: int, *, now: float) -> list[Change]:
        """Take in that a worker's process is gone."""
        slot = self.slots[worker]
        if slot.process is None:
            return []
        before, how = slot.state, slot.process.reap()
        if slot.hangs and (place := slot.process.log.stack_location()):
            slot.reason = f"{slot.reason}, in {place}"
        slot.reason = slot.reason or slot.process.log.explain(how)
        slot.process.close()
        slot.process = None
        slot.state, slot.due = after(before, Event.EXITED), None
        if slot.state is State.BROKEN and before in BOOTING:
            self.notices.start_failed(worker, slot.reason)
            self._announce_unused_cores()
        if slot.state is State.LOST and before is State.RETIRING:
            slot.due, slot.deaths = now, recent(slot.deaths, now=now)
        elif slot.state is State.LOST:
            self._schedule_restart(slot, now)
        return [WorkerDown(worker, slot.reason)] if before is State.UP else []

    def terminate(self, kill: Kill, *, now: float) -> None:
        """End a worker by SIGTERM and then SIGKILL; its end is reported as any."""
        slot = self.slots[kill.worker]
        if slot.process is not None:
            slot.reason, slot.hangs = kill.reason, kill.hangs
            slot.process.terminate()
            slot.due = now + TERM_SECONDS

    def replace(self, worker: int, *, now: float) -> None:
        """Let a worker go that holds no batch, and start a new one in its slot."""
        slot = self.slots[worker]
        if slot.process is not None and slot.state is State.UP:
            self.notices.replaced(worker, slot.process.memory_mb(), self._limits.worker_mb)
            slot.state, slot.due = after(slot.state, Event.RETIRE), now + LEAVE_SECONDS
            slot.process.ask_to_stop()

    def oversized(self) -> list[int]:
        """Return the workers with more memory of their own than the limits allow."""
        up = [m.process for m in self.slots if m.state is State.UP and m.process is not None]
        return [process.index for process in up if process.memory_mb() > self._limits.worker_mb]

    def tick(self, *, now: float) -> None:
        """Do what has come due: restart after the back-off, kill what is not ready or not gone."""
        for slot in self.slots:
            if slot.due is None or now < slot.due:
                continue
            slot.due = None
            if slot.state is State.LOST:
                slot.state = after(slot.state, Event.RESPAWN)
                self._spawn(slot, now)
            elif slot.process is not None and slot.state in BOOTING:
                step, limits = slot.process.log.step, self._limits
                limit = limits.self_test_seconds if step in steps.TESTED else limits.start_seconds
                self._failed(slot, f"{step} has not ended within {limit:g} s", now)
                # Nobody waits for a process that hangs to leave by itself.
                self.terminate(Kill(slot.spec.index, slot.reason, hangs=True), now=now)
            elif slot.process is not None:
                slot.process.kill()

    def stop(self, *, kill: bool) -> None:
        """Ask every worker to leave once it has answered all; with `kill`, end them now."""
        for slot in self.slots:
            if slot.process is not None and kill:
                slot.process.kill()
            elif slot.process is not None and slot.state is not State.STOPPING:
                slot.process.ask_to_stop()
            if slot.state is not State.GONE and slot.state is not State.STOPPING:
                slot.state, slot.due = after(slot.state, Event.STOP), None

    def close(self) -> None:
        """Close the fork server; the workers must be gone, or given up."""
        self._server.close()

    def _spawn(self, slot: WorkerSlot, now: float) -> None:
        slot.generation += 1
        slot.reason, slot.hangs, slot.came_up = "", False, False
        self._server = self._server.renewed()
        try:
            slot.process = WorkerProcess(slot.spec, slot.generation, self._context, self._server)
        except OSError as error:
            message = f"worker {slot.spec.index}: cannot start a process: {error}"
            raise StartError(message) from error
        slot.due = now + self._limits.start_seconds

    def _ready(self, slot: WorkerSlot, message: Ready) -> list[Change]:
        if slot.state is State.RESTARTING:
            self.notices.back(message.worker)
        slot.state, slot.due = after(slot.state, Event.READY), None
        slot.ready, slot.came_up = message, True
        if slot.process is not None:
            slot.process.log.step = steps.WORK  # whatever else it has printed unread
        self._announce_unused_cores()
        return [WorkerUp(message.worker)] if slot.state is State.UP else []

    def _failed(self, slot: WorkerSlot, reason: str, now: float) -> list[Change]:
        before, process, slot.reason = slot.state, slot.process, reason
        if process is not None:
            process.listen()
            slot.reason = process.log.explain(reason)
            process.ask_to_stop()
        slot.state, slot.due = after(before, Event.FAILED), now + LEAVE_SECONDS
        if slot.state is State.BROKEN:
            self.notices.start_failed(slot.spec.index, slot.reason)
            self._announce_unused_cores()
        return [WorkerDown(slot.spec.index, slot.reason)] if before is State.UP else []

    @property
    def _cores_in_use(self) -> set[int]:
        return {m.spec.npu_core for m in self.slots if m.state not in OVER}

    def _announce_unused_cores(self) -> None:
        """Tell on which NPU cores no worker runs, once it is known which could start."""
        if self._limits.bad_cores and not self.starting and not self.all_failed:
            self.notices.left_out(self.bad_cores(), self._cores_in_use)

    def _schedule_restart(self, slot: WorkerSlot, now: float) -> None:
        # Starts that all fail count however long each takes: a hang of 10 s, or the driver's time
        # limit of 6 s and a slow board, would never be often enough in a minute.
        counted = recent(slot.deaths, now=now) if slot.came_up else slot.deaths
        slot.deaths = [*counted, now]
        number, wait = slot.spec.index, back_off(len(slot.deaths))
        if wait is not None:
            slot.due = now + wait
            self.notices.died(number, slot.reason, wait)
            return
        slot.state = after(slot.state, Event.GIVE_UP)
        often = f"{len(slot.deaths)} times in {now - slot.deaths[0]:.0f} s"
        self.notices.given_up(number, slot.reason, often)
        self._announce_unused_cores()
