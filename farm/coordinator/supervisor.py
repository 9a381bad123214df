"""All workers of a farm: started, watched, restarted after a back-off, stopped."""

from __future__ import annotations

import logging
import math
from collections.abc import Container, Sequence
from typing import Final

from farm.coordinator.fork_server import ForkServer
from farm.coordinator.limits import Limits
from farm.coordinator.notices import Notices
from farm.coordinator.slots import Slots, WorkerSlot
from farm.coordinator.worker_process import WorkerProcess
from farm.scheduler.events import Kill, WorkerDown, WorkerUp
from farm.scheduler.lifecycle import BOOTING, NEXT, Event, State, recent
from farm.system.process_limits import why_no_process
from workers.protocol import startup as steps
from workers.protocol.messages import Failed, Ready
from workers.protocol.sockets import Context
from workers.protocol.spec import WorkerSpec

Change = WorkerUp | WorkerDown
LEAVE_SECONDS: Final = 5.0  # for a worker that was asked to go
TERM_SECONDS: Final = 1.0  # from SIGTERM to SIGKILL


class Supervisor:
    """The workers' processes and states; `log` gets what a user should know.

    A worker that takes longer than `limits` allow to open its runtime, or to pass its self-test,
    is killed. A worker that can't start has no second try, and an NPU core on which none can is
    left out. A start that the system refuses is tried again.
    """

    def __init__(
        self, specs: Sequence[WorkerSpec], context: Context, limits: Limits, log: logging.Logger
    ) -> None:
        self.slots = Slots(WorkerSlot(spec) for spec in specs)
        self._context, self._limits = context, limits
        self._server = ForkServer(specs[0].run_dir, specs[0].max_pixels)
        self.notices = Notices(log, specs[0].runtime)
        self.strays = 0

    def launch(self, *, now: float) -> None:
        """Start every worker's process; they report Ready later."""
        for slot in self.slots:
            self._spawn(slot, now)

    def watched(self) -> list[int]:
        """Return the descriptors to poll; `on_readable` when some are readable."""
        return self._server.fds + self.slots.watched

    @property
    def fds(self) -> list[int]:
        """All descriptors that are held of the workers' processes, but for their sockets'."""
        return [*self._server.fds, *(fd for process in self.slots.processes for fd in process.fds)]

    def deadline(self) -> float | None:
        """Return when `tick` has something to do, if nothing else happens."""
        soonest = math.inf
        for slot in self.slots:
            over_at = slot.due if slot.process is None else slot.process.over_at
            soonest = min(soonest, slot.due, over_at)
        return soonest if soonest < math.inf else None

    def on_message(self, message: Ready | Failed, *, now: float) -> list[Change]:
        """Take in what a worker reports; what does not fit its state is counted as stray."""
        reported = Event.READY if isinstance(message, Ready) else Event.FAILED
        slot = self.slots.of(message.worker, message.generation)
        # It may come twice, or cross with the worker's being given up because it was slow.
        if slot is None or (slot.state, reported) not in NEXT:
            self.strays += 1
            return []
        if isinstance(message, Failed):
            return self._failed(slot, message.message, Event.FAILED, now)
        unfit = self.slots.objection(message)
        if unfit is not None:
            return self._failed(slot, unfit, Event.GIVE_UP, now)
        return self._ready(slot, message)

    def on_readable(self, fds: Container[object], *, now: float) -> None:
        """Take in what workers have printed and that some have ended, as `tick` then handles."""
        self._server.listen()
        for slot in self.slots:
            if slot.process is None:
                continue
            before = slot.process.log.step
            slot.process.notice(fds, now=now)
            # The self-test has a time limit of its own, and so has the task that comes after it.
            step = slot.process.log.step
            if slot.state in BOOTING and (before in steps.TESTED) != (step in steps.TESTED):
                slot.due = now + self._limits.of_step(step)

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
            slot.enter(Event.RETIRE, due=now + LEAVE_SECONDS)
            slot.process.ask_to_stop()

    def oversized(self) -> list[int]:
        """Return the workers with more memory of their own than the limits allow."""
        up = [m.process for m in self.slots if m.state is State.UP and m.process is not None]
        return [process.index for process in up if process.memory_mb() > self._limits.worker_mb]

    def tick(self, *, now: float) -> list[Change]:
        """Do what has come due: see to those that are gone, restart, kill what takes too long."""
        changes: list[Change] = []
        for slot in self.slots:
            process = slot.process
            if process is not None and process.over_at <= now:
                changes += self._over(slot, process, now)
            elif slot.due <= now:
                self._due(slot, now)
        return changes

    def stop(self, *, kill: bool, now: float) -> None:
        """Ask every worker to leave once it has answered all; with `kill`, end them now."""
        for slot in self.slots:
            if slot.process is not None and kill:
                slot.process.kill(now=now)
            elif slot.process is not None and slot.state is not State.STOPPING:
                slot.process.ask_to_stop()
            if slot.state is not State.GONE and slot.state is not State.STOPPING:
                slot.enter(Event.STOP)

    def close(self) -> None:
        """End the fork server, and let go of workers that could not be ended."""
        for process in self.slots.processes:
            self.notices.stuck(process.index, process.pid)
            process.close()
        if not self._server.close():
            self.notices.fork_server_killed(self._server.pid)

    def _spawn(self, slot: WorkerSlot, now: float) -> None:
        slot.generation += 1
        slot.reason, slot.hangs, slot.came_up = "", False, False
        try:
            if slot.generation > 1:  # room for the first ones was made before anything began
                self.slots.make_room()
            slot.process = WorkerProcess(slot.spec, slot.generation, self._context, self._server)
        except OSError as error:
            slot.reason = why_no_process(error)
            self._refused(slot, now)
        else:
            slot.due = now + self._limits.start_seconds

    def _due(self, slot: WorkerSlot, now: float) -> None:
        slot.due = math.inf
        if slot.process is None:
            slot.enter(Event.RESPAWN)
            self._spawn(slot, now)
        elif slot.state in BOOTING:
            step, limit = slot.process.log.step, self._limits.of_step(slot.process.log.step)
            self._failed(slot, f"{step} has not ended within {limit:g} s", Event.FAILED, now)
            if slot.process.pid is None:
                self._server.kill()  # it hangs, too
            # Nobody waits for a process that hangs to leave by itself.
            self.terminate(Kill(slot.spec.index, slot.reason, hangs=True), now=now)
        else:
            slot.process.kill(now=now)

    def _ready(self, slot: WorkerSlot, message: Ready) -> list[Change]:
        if slot.state is State.RESTARTING:
            self.notices.back(message.worker)
        slot.enter(Event.READY)
        slot.ready, slot.came_up, slot.refusals = message, True, 0
        if slot.process is not None:
            slot.process.log.step = steps.WORK  # whatever else it has printed unread
        self._announce_unused_cores()
        return [WorkerUp(message.worker)] if slot.state is State.UP else []

    def _failed(self, slot: WorkerSlot, reason: str, event: Event, now: float) -> list[Change]:
        before, process, slot.reason = slot.state, slot.process, reason
        if process is not None:
            process.listen()
            slot.reason = process.log.explain(reason)
            process.ask_to_stop()
        slot.enter(event, due=now + LEAVE_SECONDS)
        if slot.state is State.BROKEN:
            self._start_failed(slot)
        return [WorkerDown(slot.spec.index, slot.reason)] if before is State.UP else []

    def _over(self, slot: WorkerSlot, process: WorkerProcess, now: float) -> list[Change]:
        """Take in that a process is gone, or never came to be, or that nothing ends it."""
        before, how = slot.state, process.how_it_ended()
        if slot.hangs and (place := process.log.stack_location()):
            slot.reason = f"{slot.reason}, in {place}"
        slot.reason = slot.reason or process.log.explain(how)
        process.close()
        slot.process = None
        if process.refused and before in BOOTING:
            self._refused(slot, now)
        elif process.stuck:
            slot.enter(Event.STUCK)
            self.notices.stuck(slot.spec.index, process.pid, slot.reason)
            self._announce_unused_cores()
        else:
            slot.refusals = 0
            slot.enter(Event.EXITED)
            self._exited(slot, before, now)
        return [WorkerDown(slot.spec.index, slot.reason)] if before is State.UP else []

    def _exited(self, slot: WorkerSlot, before: State, now: float) -> None:
        if slot.state is State.BROKEN and before in BOOTING:
            self._start_failed(slot)
        elif slot.state is State.LOST and before is State.RETIRING:
            slot.due, slot.deaths = now, recent(slot.deaths, now=now)
        elif slot.state is State.LOST and (wait := slot.died(now=now)) is not None:
            slot.due = now + wait
            self.notices.died(slot.spec.index, slot.reason, wait)
        elif slot.state is State.LOST:
            slot.enter(Event.GIVE_UP)
            often = f"{len(slot.deaths)} times in {now - slot.deaths[0]:.0f} s"
            self.notices.given_up(slot.spec.index, slot.reason, often)
            self._announce_unused_cores()

    def _refused(self, slot: WorkerSlot, now: float) -> None:
        """Take in that the system has refused a start. The first ones must be decided soon."""
        others = any(process.pid is not None for process in self.slots.processes)
        wait = slot.refused(alone=slot.state is State.STARTING or not others)
        slot.enter(Event.REFUSED)
        if wait is None:
            slot.enter(Event.GIVE_UP)
            slot.refusals = 0
            self._start_failed(slot)
        else:
            slot.due = now + wait
            if sum(m.refusals for m in self.slots) == 1:
                self.notices.refused(slot.spec.index, slot.reason)

    def _start_failed(self, slot: WorkerSlot) -> None:
        self.notices.start_failed(slot.spec.index, slot.reason)
        self._announce_unused_cores()

    def _announce_unused_cores(self) -> None:
        """Tell on which NPU cores no worker runs, once it is known which could start."""
        if self._limits.bad_cores and not self.slots.starting and not self.slots.all_failed:
            self.notices.left_out(self.slots.bad_cores, self.slots.cores_in_use)
