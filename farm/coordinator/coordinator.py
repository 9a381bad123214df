"""The coordinator's one poll: sockets, ends of processes and the clock become events.

Run it as `python -m farm.coordinator CONFIG`.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterable
from typing import Final

import zmq

from farm.coordinator.limits import Limits
from farm.coordinator.notices import Tell
from farm.coordinator.run_dir import RunDir
from farm.coordinator.supervisor import Supervisor
from farm.errors import BadCoreError, NoWorkersError, StartError
from farm.scheduler import events
from farm.scheduler.dispatcher import Dispatcher
from farm.scheduler.events import Deliver, Kill, Replace, Send, Task
from workers.errors import WireError
from workers.protocol.messages import Done, Failed, Ready
from workers.protocol.sockets import Context, Inbox
from workers.protocol.spec import WorkerSpec

# Pipes, sockets and their wake-up descriptors, counted with 30 workers and rounded up. ZeroMQ
# aborts the process where it can open no more.
FILES_PER_WORKER: Final = 8
FILES_BESIDES: Final = 64
KILL_SECONDS: Final = 5.0
MEMORY_CHECK_SECONDS: Final = 1.0
FOREVER: Final = -1
# The longest answer: 1024 items, each with an error about a path of 4096 bytes, and some. ZeroMQ
# breaks with who announces more, before it takes it in.
ANSWER_BYTES: Final = 16 << 20


def raise_file_limit(workers: int) -> None:
    """Raise this process's limit of open files to what so many workers need, or StartError."""
    need = FILES_BESIDES + FILES_PER_WORKER * workers
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < need:
        if hard != resource.RLIM_INFINITY and hard < need:
            raise StartError(f"{workers} workers need {need} open files, {hard} are allowed here")
        resource.setrlimit(resource.RLIMIT_NOFILE, (need, hard))


class Coordinator:
    """Feeds the workers and collects their answers; one thread, woken by facts alone."""

    def __init__(
        self, specs: tuple[WorkerSpec, ...], run_dir: RunDir, limits: Limits, tell: Tell
    ) -> None:
        self._run_dir = run_dir
        self._context: Context = zmq.Context()
        self._sink = Inbox(self._context, specs[0].sink, most_bytes=ANSWER_BYTES)
        self.supervisor = Supervisor(specs, self._context, limits, tell)
        self._dispatcher = Dispatcher(
            batch=limits.batch, window=limits.window, limit=limits.batch_seconds
        )
        self._bad_cores_allowed = limits.bad_cores
        self._memory_checked_at = 0.0
        self._tell = tell
        self.losses = 0
        self._invalid_messages = 0

    @property
    def room(self) -> int:
        """How many more tasks it is worth to submit now."""
        return self._dispatcher.room

    @property
    def outstanding(self) -> int:
        """How many submitted tasks have not ended."""
        return self._dispatcher.outstanding

    @property
    def strays(self) -> int:
        """How many messages were dropped: not to be understood, or waited for by nobody."""
        return self._invalid_messages + self.supervisor.strays + self._dispatcher.stray_answers

    @property
    def busy(self) -> bool:
        """Whether a worker has work in its hands, wanted or not."""
        return any(self._dispatcher.held.values())

    def launch(self) -> None:
        """Start the workers; `poll` until the supervisor is no longer starting."""
        self.supervisor.launch(now=time.monotonic())

    def check_started(self) -> None:
        """Raise StartError if every worker has been given up, BadCoreError as `poll` does."""
        if self.supervisor.all_failed:
            raise StartError("no worker could start: " + "; ".join(self.supervisor.reasons()))
        self._check_cores()

    def submit(self, tasks: tuple[Task, ...]) -> None:
        """Take tasks in; they come back from `poll`, each once."""
        self._act(events.Submitted(tasks))

    def drop(self, *, held: bool) -> None:
        """Forget the tasks that wait; with `held`, also those in workers' hands."""
        self._act(events.Dropped(held))

    def poll(self, also: Iterable[int] = (), until: float | None = None) -> list[Deliver]:
        """Wait until something happens, and handle it; gives the tasks that have ended.

        Returns early when one of the file descriptors `also` gets readable, and at `until`
        (CLOCK_MONOTONIC seconds). Raises NoWorkersError once work is left and no worker, and
        BadCoreError once an NPU core has no worker left and the limits forbid that.
        """
        if self.outstanding:
            if self.supervisor.all_failed:
                raise NoWorkersError("no worker is left: " + "; ".join(self.supervisor.reasons()))
            self._check_cores()
        readable = self._wait(also, until)
        delivered = self._hear() if self._sink.socket in readable else []
        for process in self.supervisor.processes():
            if process.output in readable:
                self.supervisor.on_output(process.index, now=time.monotonic())
            if process.sentinel in readable:
                delivered += self._reap(process.index)
        now = time.monotonic()
        self.supervisor.tick(now=now)
        return delivered + self._check_memory(now) + self._act(events.Tick())

    def close(self, *, drain_seconds: float) -> None:
        """Stop all workers, killing those that take longer, and leave nothing behind."""
        self.drop(held=True)
        try:
            self._stop_workers(kill=drain_seconds <= 0, seconds=drain_seconds)
            self._stop_workers(kill=True, seconds=KILL_SECONDS)
        finally:
            for process in self.supervisor.processes():
                self._tell(f"worker {process.index} (pid {process.pid}) does not die")
                process.close()
            self.supervisor.close()
            self._sink.close()
            self._context.destroy(linger=0)
            self._run_dir.remove()

    def _check_memory(self, now: float) -> list[Deliver]:
        """Look for workers that have grown too big, now and then while there is work."""
        if now - self._memory_checked_at < MEMORY_CHECK_SECONDS:
            return []
        self._memory_checked_at = now
        workers = self.supervisor.oversized()
        return [ended for each in workers for ended in self._act(events.Oversized(each))]

    def _check_cores(self) -> None:
        bad = self.supervisor.bad_cores()
        if bad and not self._bad_cores_allowed:
            why = "; ".join(self.supervisor.reasons())
            raise BadCoreError(f"NPU core {bad[0]} is of no use, and on_bad_core says fail: {why}")

    def _wait(self, also: Iterable[int], until: float | None) -> set[object]:
        watched: list[zmq.Socket[bytes] | int] = [self._sink.socket, *also]
        for process in self.supervisor.processes():
            watched.append(process.sentinel)
            if process.talks:
                watched.append(process.output)
        due = [self.supervisor.deadline(), self._dispatcher.deadline(), until]
        soonest = min((at for at in due if at is not None), default=None)
        # Rounded up: a poll that ends a little early would spin until the time has come.
        left = FOREVER
        if soonest is not None:
            left = max(0, int((soonest - time.monotonic()) * 1000) + 1)
        ready = zmq.zmq_poll([(each, zmq.POLLIN) for each in watched], left)
        return {source for source, _ in ready}

    def _hear(self) -> list[Deliver]:
        delivered: list[Deliver] = []
        while True:
            try:
                message = self._sink.receive(block=False)
            except WireError:
                self._invalid_messages += 1
                continue
            match message:
                case None:
                    return delivered
                case Done():
                    answer = events.Answered(message.worker, message.batch, message.outcomes)
                    delivered += self._act(answer)
                case Ready() | Failed():
                    for change in self.supervisor.on_message(message, now=time.monotonic()):
                        delivered += self._act(change)
                case _:
                    self._invalid_messages += 1

    def _reap(self, worker: int) -> list[Deliver]:
        delivered: list[Deliver] = []
        for change in self.supervisor.on_exit(worker, now=time.monotonic()):
            delivered += self._act(change)
        return delivered

    def _act(self, event: events.Event) -> list[Deliver]:
        """Pass an event to the dispatcher and do what it answers."""
        if isinstance(event, events.WorkerDown):
            self.losses += 1
        delivered: list[Deliver] = []
        for action in self._dispatcher.handle(event, now=time.monotonic()):
            match action:
                case Deliver():
                    delivered.append(action)
                case Send(worker, batch):
                    process = self.supervisor.process(worker)
                    if process is not None:
                        process.send(batch)
                case Kill():
                    self.supervisor.terminate(action, now=time.monotonic())
                case Replace(worker):
                    self.supervisor.replace(worker, now=time.monotonic())
        return delivered

    def _stop_workers(self, *, kill: bool, seconds: float) -> None:
        until = time.monotonic() + seconds
        self.supervisor.stop(kill=kill)
        while self.supervisor.processes() and time.monotonic() < until:
            self.poll(until=until)
