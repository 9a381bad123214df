"""The coordinator's one poll: sockets, ends of processes and the clock become events."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterable
from contextlib import ExitStack
from math import inf
from typing import Final

import zmq

from farm.coordinator.clock import LONGEST_STEP, Clock
from farm.coordinator.facts import Facts
from farm.coordinator.health import Health
from farm.coordinator.limits import Limits
from farm.coordinator.publisher import Publisher
from farm.coordinator.run_dir import RunDir
from farm.coordinator.sink import Sink
from farm.coordinator.supervisor import Supervisor
from farm.scheduler import events
from farm.scheduler.dispatcher import Dispatcher
from farm.scheduler.events import Deliver, Job, Kill, Replace, Send
from farm.scheduler.placement import FarmPlan
from farm.system.deferred_handlers import Deferred, Paused
from farm.system.ownership import Owned
from farm.watch.running import address_in
from workers.protocol.messages import Done
from workers.protocol.sockets import Context

KILL_SECONDS: Final = 10.0  # the supervisor lets go of them sooner
SECOND: Final = 1.0  # between two looks at the memory, and two snapshots
LOOK_SECONDS: Final = LONGEST_STEP  # while anything is timed: a longer wait would not count
FOREVER: Final = -1


class Coordinator(Owned):
    """Feeds the workers and collects their answers; one thread, woken by facts alone.

    Several runs can be open at once: each submits its own jobs and takes those that have ended.
    The program's signal handlers, which may raise, run only while it waits, or before or after all
    that it does at once.
    """

    def __init__(
        self, plan: FarmPlan, run_dir: RunDir, limits: Limits, log: logging.Logger
    ) -> None:
        specs = plan.workers
        self._run_dir = run_dir
        self._context: Context = zmq.Context()
        self._sink = Sink(self._context, specs[0].sink, limits.batch)
        self.supervisor = Supervisor(specs, self._context, limits, log)
        self._dispatcher = Dispatcher(
            batch=limits.batch, window=limits.window, limit=limits.batch_seconds
        )
        self.snapshot_address = address_in(run_dir.path)
        self.facts = Facts(plan, self.supervisor, self._dispatcher, self._sink)
        self._publisher = Publisher(self._context, self.snapshot_address, self.facts)
        self.health = Health(self.supervisor.slots, bad_cores=limits.bad_cores)
        self._ended: dict[int, list[Deliver]] = {}  # by open run: what it has not taken yet
        self._next_run = 0
        self._abandoned: deque[int] = deque()  # runs to close at the next poll
        self._events: deque[events.Event] = deque()  # those that come while one is handled
        self._handling = False
        self._clock = Clock()
        self._looked_at = 0.0
        self.closed = False
        self.own()

    @property
    def holding(self) -> bool:
        """Whether a worker holds a batch, wanted or not."""
        return any(self._dispatcher.held.values())

    def launch(self) -> None:
        """Start the workers; `poll` until the supervisor is no longer starting."""
        self.supervisor.launch(now=self._clock.now())

    def open_run(self) -> int:
        """Return the number of a new run; close it with `close_run`."""
        self._next_run += 1
        self._ended[self._next_run] = []
        return self._next_run

    def close_run(self, run: int) -> None:
        """Forget a run and all its jobs; a run that is closed already is left alone."""
        with Deferred():
            if self._ended.pop(run, None) is not None:
                self._act(events.Dropped(run, held=True))

    def abandon_run(self, run: int) -> None:
        """Close a run at the next poll; may be called at any moment and from any thread."""
        self._abandoned.append(run)

    def room(self, run: int) -> int:
        """Return how many more jobs of a run are worth submitting now."""
        return self._dispatcher.room(run)

    def outstanding(self, run: int) -> int:
        """Return how many submitted jobs of a run have not ended."""
        return self._dispatcher.outstanding(run)

    def submit(self, jobs: tuple[Job, ...]) -> None:
        """Take in jobs; `take` returns each once it has ended. Drops those of closed runs."""
        self.check_user()
        with Deferred():
            self._act(events.Submitted(tuple(job for job in jobs if job.run in self._ended)))

    def drop_waiting(self, run: int) -> None:
        """Forget a run's jobs that no worker holds yet."""
        with Deferred():
            self._act(events.Dropped(run, held=False))

    def withdraw(self, run: int, items: frozenset[int]) -> None:
        """Forget those of a run's items that no worker holds yet."""
        with Deferred():
            self._act(events.Dropped(run, held=False, items=items))

    def take(self, run: int) -> list[Deliver]:
        """Return a run's jobs that have ended since the last call; of a closed run, none."""
        ended = self._ended.get(run, [])
        if ended:
            self._ended[run] = []
        return ended

    def poll(self, also: Iterable[int] = (), until: float | None = None) -> None:
        """Wait until something happens, and handle it.

        Returns early when one of the file descriptors `also` gets readable, and at `until`
        (CLOCK_MONOTONIC seconds). Raises NoWorkersError once work is left and no worker, and
        BadCoreError once an NPU core has no worker left and the limits forbid that.
        """
        with self.supervisor.notices, Deferred():
            while self._abandoned:
                self.close_run(self._abandoned.popleft())
            if self._dispatcher.busy:
                self.health.check()
            readable = self._wait(also, until)
            if not self._sink.socket.closed:  # by a signal's handler, while it waited
                self._receive(readable)
                self._tick(self._clock.now())

    def close(self, *, drain_seconds: float) -> None:
        """Stop all workers, killing those that take longer, and leave nothing behind."""
        if self.disowned:
            return
        self.closed = True
        for run in list(self._ended):
            self.close_run(run)
        with self.supervisor.notices, ExitStack() as whatever_is_raised:  # by handlers, in a poll
            whatever_is_raised.callback(self._let_go)
            whatever_is_raised.callback(self._stop_workers, kill=True, seconds=KILL_SECONDS)
            self._stop_workers(kill=drain_seconds <= 0, seconds=drain_seconds)

    def _let_go(self) -> None:
        self.supervisor.close()
        self._sink.close()
        self._publisher.close()
        self._context.destroy(linger=0)
        self._run_dir.remove()
        self.release()

    def _tick(self, now: float) -> None:
        """Do what has come due."""
        for change in self.supervisor.tick(now=now):
            self._act(change)
        if now - self._looked_at >= SECOND:
            self._looked_at = now
            for worker in self.supervisor.oversized():
                self._act(events.Oversized(worker))
            self.facts.mark()
            self._publisher.publish()
        self._act(events.Tick())

    def _wait(self, also: Iterable[int], until: float | None) -> set[object]:
        watched: list[zmq.Socket[bytes] | int] = [self._sink.socket, self._publisher.socket, *also]
        watched += self.supervisor.watched()
        now, seconds = self._clock.now(), inf
        if self._publisher.watched:
            seconds = max(0.0, self._looked_at + SECOND - now)
        for due in (self.supervisor.deadline(), self._dispatcher.deadline()):
            if due is not None:
                seconds = min(seconds, due - now, LOOK_SECONDS)
        if until is not None:
            seconds = min(seconds, until - time.monotonic())
        # Rounded up: a poll that ends a little early would spin until the time has come.
        left = FOREVER if seconds == inf else max(0, int(seconds * 1000) + 1)
        with Paused():
            ready = zmq.zmq_poll([(each, zmq.POLLIN) for each in watched], left)
        self._clock.now(expected=seconds)
        return {source for source, _ in ready}

    def _receive(self, readable: set[object]) -> None:
        """Handle what is readable: every report that is there, ends of processes, their words."""
        for report in self._sink.reports() if self._sink.socket in readable else ():
            if isinstance(report, Done):
                self._act(events.Answered(report.worker, report.batch, report.outcomes))
                continue
            for change in self.supervisor.on_message(report, now=self._clock.now()):
                self._act(change)
        if self._publisher.socket in readable:
            self._publisher.listen()
        if readable - {self._sink.socket, self._publisher.socket}:
            self.supervisor.on_readable(readable, now=self._clock.now())

    def _act(self, event: events.Event) -> None:
        """Pass an event to the dispatcher and do what it asks for.

        An event that comes meanwhile, as from a signal handler that closes a run, waits its turn.
        """
        self._events.append(event)
        if self._handling or self.disowned:
            return
        self._handling = True
        try:
            while self._events:
                self._handle(self._events.popleft())
        finally:
            self._handling = False

    def _handle(self, event: events.Event) -> None:
        if isinstance(event, events.WorkerDown):
            self.facts.losses[event.worker] += 1
        for action in self._dispatcher.handle(event, now=self._clock.now()):
            match action:
                case Deliver(job):
                    self.facts.count(action)
                    self._ended.get(job.run, []).append(action)
                case Send(worker, batch):
                    process = self.supervisor.slots[worker].process
                    if process is not None:
                        process.send(batch)
                case Kill():
                    self.supervisor.terminate(action, now=self._clock.now())
                case Replace(worker):
                    self.supervisor.replace(worker, now=self._clock.now())

    def _stop_workers(self, *, kill: bool, seconds: float) -> None:
        now = self._clock.now()
        until = now + seconds
        self.supervisor.stop(kill=kill, now=now)
        while self.supervisor.slots.processes and (left := until - self._clock.now()) > 0:
            self.poll(until=time.monotonic() + left)
