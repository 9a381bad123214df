"""All workers of a farm: started, watched, started again after a back-off, stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from farm.errors import StartError
from farm.events import WorkerDown, WorkerUp
from farm.lifecycle import BOOTING, OVER, Event, State, after, back_off, recent
from farm.limits import Limits
from farm.process import WorkerProcess
from farm.troubles import explain
from workers import steps
from workers.runtime import ONNX, RKNN
from workers.spec import WorkerSpec
from workers.transport import Context
from workers.wire import Failed, Ready

Tell = Callable[[str], None]
Change = WorkerUp | WorkerDown
LEAVE_SECONDS: Final = 5.0  # for a worker that has said it can't go on


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
    ready: Ready | None = None


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
        self._limits = limits
        self._tell = tell
        self._first_with: dict[str, int] = {}  # the worker whose start failed so first
        self._left_out: set[int] = set()  # NPU cores that were told to be
        self._explained: set[str] = set()

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
        """The NPU cores all of whose workers are given up."""
        broken = {m.spec.npu_core for m in self.members if m.state is State.BROKEN}
        return tuple(sorted(broken - self._cores_in_use()))

    def deadline(self) -> float | None:
        """When `tick` has something to do, if nothing else happens."""
        return min((m.due for m in self.members if m.due is not None), default=None)

    def heard(self, message: Ready | Failed, *, now: float) -> list[Change]:
        """Take in what a worker says of itself; from an earlier process it counts for nothing."""
        if message.worker >= len(self.members):
            return []
        member = self.members[message.worker]
        if message.generation != member.generation or member.process is None:
            return []
        if isinstance(message, Ready):
            return self._ready(member, message)
        return self._failed(member, message.message, now)

    def printed(self, worker: int, *, now: float) -> None:
        """Take in what a worker has printed; its self-test has a time limit of its own."""
        member = self.members[worker]
        if member.process is None:
            return
        before = member.process.step
        member.process.listen()
        if member.state in BOOTING and before != member.process.step == steps.SELF_TEST:
            member.due = now + self._limits.self_test_seconds

    def exited(self, worker: int, *, now: float) -> list[Change]:
        """Take in that a worker's process is gone."""
        member = self.members[worker]
        if member.process is None:
            return []
        before, how = member.state, member.process.reap()
        member.reason = member.reason or _with(how, member.process.library_errors())
        member.process.close()
        member.process = None
        member.state, member.due = after(before, Event.EXITED), None
        if member.state is State.BROKEN and before in BOOTING:
            self._tell_no_start(member)
        if member.state is State.LOST:
            self._plan_respawn(member, now)
        return [WorkerDown(worker, member.reason)] if before is State.UP else []

    def condemn(self, worker: int, reason: str) -> None:
        """Kill a worker for `reason`; its end is reported as any other."""
        member = self.members[worker]
        if member.process is not None:
            member.reason = reason
            member.process.kill()

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
            else:
                self.condemn(member.spec.index, member.reason)

    def stop(self, *, kill: bool) -> None:
        """Ask every worker to leave once its hands are empty; with `kill`, end them now."""
        for member in self.members:
            if member.state is not State.GONE and member.state is not State.STOPPING:
                member.state, member.due = after(member.state, Event.STOP), None
                if member.process is not None and not kill:
                    member.process.ask_to_stop()
            if member.process is not None and kill:
                member.process.kill()

    def _spawn(self, member: Member, now: float) -> None:
        member.generation += 1
        member.reason = ""
        try:
            member.process = WorkerProcess(member.spec, member.generation, self._context)
        except OSError as error:
            number = member.spec.index
            raise StartError(f"worker {number}: no process can be started: {error}") from error
        member.due = now + self._limits.start_seconds

    def _ready(self, member: Member, message: Ready) -> list[Change]:
        if member.state is State.RESTARTING:
            self._tell(f"worker {message.worker} is back")
        member.state, member.due = after(member.state, Event.READY), None
        member.ready = message
        self._tell_left_out()
        return [WorkerUp(message.worker)] if member.state is State.UP else []

    def _failed(self, member: Member, reason: str, now: float) -> list[Change]:
        before, process = member.state, member.process
        member.reason = reason
        if process is not None:
            process.listen()
            member.reason = _with(reason, process.library_errors())
            process.ask_to_stop()
        member.state, member.due = after(before, Event.FAILED), now + LEAVE_SECONDS
        if member.state is State.BROKEN:
            self._tell_no_start(member)
        else:
            self._explain(member)
        return [WorkerDown(member.spec.index, member.reason)] if before is State.UP else []

    def _too_slow(self, member: Member, now: float) -> None:
        """End a start that takes too long; nobody waits for the end of a process that hangs."""
        if member.process is None:
            return
        step, limits = member.process.step, self._limits
        limit = limits.self_test_seconds if step == steps.SELF_TEST else limits.start_seconds
        self._failed(member, f"{step} has not ended within {limit:g} s", now)
        member.process.kill()

    def _tell_no_start(self, member: Member) -> None:
        first = self._first_with.setdefault(member.reason, member.spec.index)
        why = member.reason if first == member.spec.index else f"for the same reason as {first}"
        self._tell(f"worker {member.spec.index} could not start: {why}")
        self._explain(member)
        self._tell_left_out()

    def _explain(self, member: Member) -> None:
        """Say once what a trouble of the NPU that users know means, and what helps."""
        trouble = explain(member.reason) if member.spec.runtime == RKNN else None
        if trouble is not None and trouble.seen not in self._explained:
            self._explained.add(trouble.seen)
            self._tell(f"that means: {trouble.means}; try: {trouble.fix}")

    def _tell_left_out(self) -> None:
        """Say, once it is known who could start, on which NPU cores nobody runs."""
        if self.booting or self.hopeless or self.members[0].spec.runtime == ONNX:
            return
        others = ", ".join(map(str, sorted(self._cores_in_use())))
        for core in self.bad_cores():
            if core not in self._left_out:
                self._left_out.add(core)
                self._tell(f"NPU core {core} IS LEFT OUT; its share goes to NPU core(s) {others}")

    def _cores_in_use(self) -> set[int]:
        return {m.spec.npu_core for m in self.members if m.state not in OVER}

    def _plan_respawn(self, member: Member, now: float) -> None:
        member.deaths = [*recent(member.deaths, now=now), now]
        wait = back_off(len(member.deaths))
        number = member.spec.index
        if wait is None:
            member.state = after(member.state, Event.GIVE_UP)
            self._tell(
                f"worker {number} died {len(member.deaths)} times in a minute "
                f"({member.reason}); given up"
            )
            self._tell_left_out()
            return
        member.due = now + wait
        self._tell(f"worker {number} died ({member.reason}); a new one starts in {wait:.1f} s")


def _with(reason: str, library: str) -> str:
    """A reason, and what the NPU's library said about it if that is not in it already."""
    return f"{reason} (librknnrt: {library})" if library and library not in reason else reason
