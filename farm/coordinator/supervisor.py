"""All workers of a farm: started, watched, started again after a back-off, stopped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from farm.coordinator.fork_server import ForkServer
from farm.coordinator.limits import Limits
from farm.coordinator.notices import Tell, Tidings
from farm.coordinator.worker_process import WorkerProcess
from farm.errors import StartError
from farm.scheduler.events import Kill, WorkerDown, WorkerUp
from farm.scheduler.lifecycle import BOOTING, NEXT, OVER, Event, State, after, back_off, recent
from workers.protocol import startup_steps as steps
from workers.protocol.messages import Failed, Ready
from workers.protocol.sockets import Context
from workers.protocol.spec import WorkerSpec
from workers.runtimes.base import ONNX

Change = WorkerUp | WorkerDown
LEAVE_SECONDS: Final = 5.0  # for a worker that was asked to go
TERM_SECONDS: Final = 1.0  # from SIGTERM to SIGKILL


@dataclass(slots=True)
class Member:
    """One worker's seat, whoever sits in it; `due` is when its state must have changed."""

    spec: WorkerSpec
    state: State = State.STARTING
    generation: int = 0
    process: WorkerProcess | None = None
    deaths: list[float] = field(default_factory=list)
    due: float | None = None
    reason: str = ""
    hangs: bool = False
    ready: Ready | None = None
    came_up: bool = False  # whether the present process, or the last one, was ready


class Crew:
    """The workers' processes and lives. `tell` hears what a user should know, a line each.

    A worker that takes longer than `limits` allow to open its runtime, or to pass its self-test,
    is killed. A worker that can't start has no second try, and an NPU core on which none can is
    left out.
    """

    def __init__(
        self, specs: Iterable[WorkerSpec], context: Context, limits: Limits, tell: Tell
    ) -> None:
        self.members = [Member(spec) for spec in specs]
        self._context = context
        first = self.members[0].spec
        self._server = ForkServer(first.run_dir, first.max_pixels)
        self._limits = limits
        self._tidings = Tidings(tell, self.members[0].spec.runtime)
        self.strays = 0

    def launch(self, *, now: float) -> None:
        """Start every worker's process; they report Ready later."""
        for member in self.members:
            self._spawn(member, now)

    def process(self, worker: int) -> WorkerProcess | None:
        """The worker's process, None while it has none."""
        return self.members[worker].process

    def processes(self) -> list[WorkerProcess]:
        """All processes that are not known to be gone."""
        return [m.process for m in self.members if m.process is not None]

    @property
    def booting(self) -> bool:
        """Whether a worker's first start is still under way."""
        return any(member.state is State.STARTING for member in self.members)

    @property
    def hopeless(self) -> bool:
        """Whether no worker is left, and none will come back."""
        return all(member.state in OVER for member in self.members)

    def reasons(self) -> list[str]:
        """Why the workers that are given up were, each reason once."""
        return list(dict.fromkeys(m.reason for m in self.members if m.state is State.BROKEN))

    def bad_cores(self) -> tuple[int, ...]:
        """The NPU cores all of whose workers are given up; none where the CPU does the work."""
        if self.members[0].spec.runtime == ONNX:
            return ()
        broken = {m.spec.npu_core for m in self.members if m.state is State.BROKEN}
        return tuple(sorted(broken - self._cores_in_use()))

    def deadline(self) -> float | None:
        """When `tick` has something to do, if nothing else happens."""
        return min((m.due for m in self.members if m.due is not None), default=None)

    def heard(self, message: Ready | Failed, *, now: float) -> list[Change]:
        """Take in what a worker says of itself; what does not fit its life is counted as stray."""
        told = Event.READY if isinstance(message, Ready) else Event.FAILED
        author = (message.worker, message.generation)
        member = next((m for m in self.members if (m.spec.index, m.generation) == author), None)
        # It may be said twice, or cross with the worker's being given up for its slowness.
        if member is None or (member.state, told) not in NEXT:
            self.strays += 1
            return []
        if isinstance(message, Ready):
            return self._ready(member, message)
        return self._failed(member, message.message, now)

    def printed(self, worker: int, *, now: float) -> None:
        """Take in what a worker has printed; its self-test has a time limit of its own."""
        member = self.members[worker]
        if member.process is None:
            return
        before = member.process.words.step
        member.process.listen()
        if member.state in BOOTING and before != member.process.words.step == steps.SELF_TEST:
            member.due = now + self._limits.self_test_seconds

    def exited(self, worker: int, *, now: float) -> list[Change]:
        """Take in that a worker's process is gone."""
        member = self.members[worker]
        if member.process is None:
            return []
        before, how = member.state, member.process.reap()
        if member.hangs and (place := member.process.words.place()):
            member.reason = f"{member.reason}, in {place}"
        member.reason = member.reason or _with(how, member.process.words.library_errors())
        member.process.close()
        member.process = None
        member.state, member.due = after(before, Event.EXITED), None
        if member.state is State.BROKEN and before in BOOTING:
            self._tidings.no_start(worker, member.reason)
            self._tell_left_out()
        if before is State.RETIRING and member.state is State.LOST:
            member.due, member.deaths = now, recent(member.deaths, now=now)
        elif member.state is State.LOST:
            self._plan_respawn(member, now)
        return [WorkerDown(worker, member.reason)] if before is State.UP else []

    def condemn(self, kill: Kill, *, now: float) -> None:
        """End a worker by SIGTERM and then SIGKILL; its end is reported as any."""
        member = self.members[kill.worker]
        if member.process is not None:
            member.reason, member.hangs = kill.reason, kill.hangs
            member.process.terminate()
            member.due = now + TERM_SECONDS

    def replace(self, worker: int, *, now: float) -> None:
        """Let a worker with empty hands go, and start a new one in its seat."""
        member = self.members[worker]
        if member.process is None or member.state is not State.UP:
            return
        self._tidings.replaced(worker, member.process.memory_mb(), self._limits.worker_mb)
        member.state, member.due = after(member.state, Event.RETIRE), now + LEAVE_SECONDS
        member.process.ask_to_stop()

    def too_big(self) -> list[int]:
        """The workers at work that have more memory of their own than the limits allow."""
        at_work = [m.process for m in self.members if m.state is State.UP and m.process is not None]
        return [p.index for p in at_work if p.memory_mb() > self._limits.worker_mb]

    def tick(self, *, now: float) -> None:
        """Do what has come due: start anew after the back-off, kill who is not ready or gone."""
        for member in self.members:
            if member.due is None or now < member.due:
                continue
            member.due = None
            if member.state is State.LOST:
                member.state = after(member.state, Event.RESPAWN)
                self._spawn(member, now)
            elif member.state in BOOTING:
                self._too_slow(member, now)
            elif member.process is not None:
                member.process.kill()

    def stop(self, *, kill: bool) -> None:
        """Ask every worker to leave once its hands are empty; with `kill`, end them now."""
        for member in self.members:
            if member.state is not State.GONE and member.state is not State.STOPPING:
                member.state, member.due = after(member.state, Event.STOP), None
                if member.process is not None and not kill:
                    member.process.ask_to_stop()
            if member.process is not None and kill:
                member.process.kill()

    def close(self) -> None:
        """Let go what workers are forked from; they must be gone, or be given up."""
        self._server.close()

    def _spawn(self, member: Member, now: float) -> None:
        member.generation += 1
        member.reason, member.hangs, member.came_up = "", False, False
        self._server = self._server.renewed()
        try:
            member.process = WorkerProcess(
                member.spec, member.generation, self._context, self._server
            )
        except OSError as error:
            number = member.spec.index
            raise StartError(f"worker {number}: no process can be started: {error}") from error
        member.due = now + self._limits.start_seconds

    def _ready(self, member: Member, message: Ready) -> list[Change]:
        if member.state is State.RESTARTING:
            self._tidings.back(message.worker)
        member.state, member.due = after(member.state, Event.READY), None
        member.ready, member.came_up = message, True
        if member.process is not None:
            member.process.words.step = steps.WORK  # whatever else it has printed unread
        self._tell_left_out()
        return [WorkerUp(message.worker)] if member.state is State.UP else []

    def _failed(self, member: Member, reason: str, now: float) -> list[Change]:
        before, process = member.state, member.process
        member.reason = reason
        if process is not None:
            process.listen()
            member.reason = _with(reason, process.words.library_errors())
            process.ask_to_stop()
        member.state, member.due = after(before, Event.FAILED), now + LEAVE_SECONDS
        if member.state is State.BROKEN:
            self._tidings.no_start(member.spec.index, member.reason)
            self._tell_left_out()
        return [WorkerDown(member.spec.index, member.reason)] if before is State.UP else []

    def _too_slow(self, member: Member, now: float) -> None:
        """End a start that takes too long; nobody waits for the end of a process that hangs."""
        if member.process is None:
            return
        step, limits = member.process.words.step, self._limits
        limit = limits.self_test_seconds if step in steps.TESTED else limits.start_seconds
        self._failed(member, f"{step} has not ended within {limit:g} s", now)
        self.condemn(Kill(member.spec.index, member.reason, hangs=True), now=now)

    def _tell_left_out(self) -> None:
        """Say, once it is known who could start, on which NPU cores nobody runs."""
        if self._limits.bad_cores and not self.booting and not self.hopeless:
            self._tidings.left_out(self.bad_cores(), self._cores_in_use())

    def _cores_in_use(self) -> set[int]:
        return {m.spec.npu_core for m in self.members if m.state not in OVER}

    def _plan_respawn(self, member: Member, now: float) -> None:
        # Starts that all fail count however long each takes: a hang of 10 s, or the driver's time
        # limit of 6 s and a slow board, would never be often enough in a minute.
        counted = recent(member.deaths, now=now) if member.came_up else member.deaths
        member.deaths = [*counted, now]
        wait = back_off(len(member.deaths))
        number = member.spec.index
        if wait is None:
            member.state = after(member.state, Event.GIVE_UP)
            often = f"{len(member.deaths)} times in {now - member.deaths[0]:.0f} s"
            self._tidings.given_up(number, member.reason, often)
            self._tell_left_out()
            return
        member.due = now + wait
        self._tidings.died(number, member.reason, wait)


def _with(reason: str, library: str) -> str:
    """A reason, and what the NPU's library said about it if that is not in it already."""
    return f"{reason} (librknnrt: {library})" if library and library not in reason else reason
