"""Who gets which batch: events in, actions out; nothing is sent here.

Every job is in exactly one place: waiting in the queue of its run, held by one worker as part of
one batch, or ended by one Deliver. Answers of workers that no longer hold the batch end here.
"""

from __future__ import annotations

from collections import Counter, deque
from itertools import chain
from typing import Final

from msgspec.structs import replace

from farm.scheduler.batch_timeout import BatchTimeout
from farm.scheduler.events import (
    Action,
    Answered,
    Deliver,
    Dropped,
    Event,
    Job,
    Kill,
    Oversized,
    Replace,
    Send,
    Submitted,
    Tick,
    WorkerDown,
    WorkerUp,
)
from farm.scheduler.inflight import InFlight
from workers.protocol.messages import Batch, ItemError

MAX_DEATHS: Final = 3  # an item that saw so many workers die is to blame, not the workers
BATCH_BYTES: Final = 8 << 20  # raw frames are megabytes each: a batch of them stays small
IN_FLIGHT_BYTES: Final = 256 << 20  # once all workers hold so many, none gets more
LOOKAHEAD_BATCHES: Final = 3  # of every worker
LOOKAHEAD_BYTES: Final = 32 << 20  # each run that waits has an equal share


class Dispatcher:
    """The ledger of who holds what, with `window` batches of up to `batch` items per worker.

    Of small batches it may be more, see InFlight.has_room. Runs take turns, a batch each. A worker
    whose oldest batch has no answer `limit` seconds after its turn came is to be killed; with None,
    the limit is learned, see batch_timeout.
    """

    def __init__(self, *, batch: int, window: int, limit: float | None) -> None:
        self._batch, self._window = batch, window
        self._timeout = BatchTimeout(limit, batch)
        self._queues: dict[int, deque[Job]] = {}  # by run, none empty; the first has its turn
        self._waiting_bytes: Counter[int] = Counter()  # by run
        self._workers: dict[int, InFlight] = {}
        self._next_batch = 0
        self.stray_answers = 0

    def room(self, run: int) -> int:
        """Return how many more jobs of a run are worth submitting now.

        `_take` halves what waits, so as not to shrink batches amid a run there must be two for
        every worker after it has filled one.
        """
        runs = len(self._queues.keys() | {run})  # they share the memory
        if self._waiting_bytes[run] > LOOKAHEAD_BYTES // runs:
            return 0
        wanted = LOOKAHEAD_BATCHES * self._batch * max(1, len(self._workers))
        return max(0, wanted - len(self._queues.get(run, ())))

    def outstanding(self, run: int) -> int:
        """Return how many jobs of a run have neither ended nor been dropped."""
        held = chain.from_iterable(load.held.values() for load in self._workers.values())
        in_flight = sum(len(jobs) for jobs in held if jobs and jobs[0].run == run)
        return len(self._queues.get(run, ())) + in_flight

    @property
    def busy(self) -> bool:
        """Whether any job has neither ended nor been dropped."""
        return bool(self._queues) or any(any(held) for held in self.held.values())

    @property
    def held(self) -> dict[int, tuple[tuple[Job, ...], ...]]:
        """The jobs that each worker holds, batch by batch."""
        return {worker: tuple(load.held.values()) for worker, load in self._workers.items()}

    @property
    def waiting(self) -> tuple[Job, ...]:
        """The jobs that no worker holds, run by run, that of the next turn first."""
        return tuple(chain.from_iterable(self._queues.values()))

    def deadline(self) -> float | None:
        """Return when the next worker is overdue (same clock as `now`); None if none owes."""
        owing = [
            load.oldest_since + self._timeout.seconds
            for load in self._workers.values()
            if load.held and not load.terminating
        ]
        return min(owing, default=None)

    def handle(self, event: Event, *, now: float) -> list[Action]:
        """Take one event in; return what must be done, in order. `now` is in seconds."""
        actions: list[Action] = []
        match event:
            case Submitted(jobs):
                for job in jobs:
                    self._queues.setdefault(job.run, deque()).append(job)
                    self._waiting_bytes[job.run] += job.size
            case WorkerUp(worker):
                self._workers[worker] = InFlight()
            case WorkerDown(worker, reason):
                actions = self._requeue(worker, reason)
            case Oversized(worker):
                # One that has not answered anything yet is left alone: a new one would be as big.
                if worker in self._workers and self._workers[worker].answers:
                    self._workers[worker].retiring = True
                    actions = self._replacement(worker)
            case Answered():
                actions = self._release(event, now)
            case Tick():
                return self._overdue(now)  # which makes room for nothing
            case Dropped():
                self._drop(event)
        return actions + self._fill(now)

    def _requeue(self, worker: int, reason: str) -> list[Action]:
        """Put what a lost worker held first in its queues; end what has seen too many deaths."""
        load = self._workers.pop(worker, InFlight())
        actions: list[Action] = []
        for held in reversed(list(chain.from_iterable(load.held.values()))):
            job = replace(held, deaths=held.deaths + 1, died_at=worker)
            if job.deaths >= MAX_DEATHS:
                message = f"worker died {MAX_DEATHS} times: {reason}"
                actions.insert(0, Deliver(job, worker, ItemError("worker_died", message)))
                continue
            queue = self._queues.pop(job.run, deque())
            queue.appendleft(job)
            self._queues = {job.run: queue, **self._queues}
            self._waiting_bytes[job.run] += job.size
        return actions

    def _release(self, answer: Answered, now: float) -> list[Action]:
        load = self._workers.get(answer.worker)
        jobs = load.held.get(answer.batch) if load else None
        if load is None or jobs is None:
            self.stray_answers += 1
            return []
        outcomes = {outcome.item: outcome for outcome in answer.outcomes}
        ids = sorted(outcome.item for outcome in answer.outcomes)
        if jobs and ids != sorted(job.item.id for job in jobs):
            return self._terminate(answer.worker, "answered a batch with other items than its own")
        if jobs and load.is_oldest(answer.batch):
            self._timeout.learn(now - load.oldest_since, len(jobs))
        load.remove(answer.batch, now=now)
        delivered = [Deliver(job, answer.worker, outcomes[job.item.id]) for job in jobs]
        return [*delivered, *self._replacement(answer.worker)]

    def _replacement(self, worker: int) -> list[Action]:
        load = self._workers[worker]
        if not load.retiring or load.held:
            return []
        del self._workers[worker]
        return [Replace(worker)]

    def _overdue(self, now: float) -> list[Action]:
        reason = f"no answer for {round(self._timeout.seconds, 1):g} s"
        late = [
            worker
            for worker, load in self._workers.items()
            if load.held and now - load.oldest_since > self._timeout.seconds
        ]
        return [kill for worker in late for kill in self._terminate(worker, reason, hangs=True)]

    def _terminate(self, worker: int, reason: str, *, hangs: bool = False) -> list[Action]:
        """Ask for a worker's end, once; what it holds comes back with its WorkerDown."""
        if self._workers[worker].terminating:
            return []
        self._workers[worker].terminating = True
        return [Kill(worker, reason, hangs)]

    def _drop(self, event: Dropped) -> None:
        run, items = event.run, event.items
        waiting = self._queues.get(run, ())
        kept = deque(job for job in waiting if items is not None and job.item.id not in items)
        self._queues[run], self._waiting_bytes[run] = kept, sum(job.size for job in kept)
        if not kept:
            del self._queues[run], self._waiting_bytes[run]
        for load in self._workers.values() if event.held else ():
            for batch, jobs in load.held.items():
                if jobs and jobs[0].run == run:
                    load.held[batch] = ()

    def _fill(self, now: float) -> list[Action]:
        """Hand out what waits, to the least loaded worker first, as far as windows allow.

        The run whose turn it is goes first even where its first job has to wait for a worker
        that holds nothing: else there might never be one.
        """
        actions: list[Action] = []
        while self._queues:
            run, queue = next(iter(self._queues.items()))
            worker = self._least_loaded(queue[0])
            if worker is None:
                break
            jobs, size = self._take(run, queue)
            del self._queues[run]
            if queue:
                self._queues[run] = queue  # its next turn is the last one
            self._next_batch += 1
            self._workers[worker].add(self._next_batch, jobs, size, now=now)
            actions.append(Send(worker, Batch(self._next_batch, tuple(t.item for t in jobs))))
        return actions

    def _least_loaded(self, job: Job) -> int | None:
        """Return the worker to give the next batch to, which begins with `job`.

        A suspect needs a worker that holds nothing, and another than the one that died of it,
        while there is another: an NPU core that has gone bad must not make its items look guilty.
        """
        in_flight = job.size and sum(load.bytes for load in self._workers.values())
        if in_flight >= IN_FLIGHT_BYTES:
            return None
        barred = job.died_at if len(self._workers) > 1 else None
        loads = [
            (load.items, worker)
            for worker, load in self._workers.items()
            if load.has_room(job, window=self._window, batch=self._batch) and worker != barred
        ]
        return min(loads)[1] if loads else None

    def _take(self, run: int, queue: deque[Job]) -> tuple[tuple[Job, ...], int]:
        """Take the next batch, and its bytes: smaller near the end, so that no worker ends late.

        Guided self-scheduling (Polychronopoulos and Kuck, 1987): each takes an equal share of
        half of what waits. A job that a worker died of travels alone.
        """
        waiting = sum(map(len, self._queues.values()))
        most = min(self._batch, -(-waiting // (2 * len(self._workers))))
        jobs: list[Job] = []
        taken_bytes = 0
        while queue and len(jobs) < most:
            size = queue[0].size
            if jobs and taken_bytes + size > BATCH_BYTES:
                break
            jobs.append(queue.popleft())
            taken_bytes += size
            if jobs[-1].deaths:  # these are always the first in the queue
                break
        self._waiting_bytes[run] -= taken_bytes
        return tuple(jobs), taken_bytes
