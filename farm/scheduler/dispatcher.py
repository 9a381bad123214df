"""Who gets which batch: events in, actions out; nothing is sent here.

Every task is in exactly one place: waiting, held by one worker as part of one batch, or ended
by one Deliver. What comes from a worker that no longer holds the batch is dropped, here only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain
from typing import Final

from farm.scheduler.batch_timeout import BatchTimeout
from farm.scheduler.events import (
    Action,
    Answered,
    Deliver,
    Dropped,
    Event,
    Kill,
    Oversized,
    Replace,
    Send,
    Submitted,
    Task,
    Tick,
    WorkerDown,
    WorkerUp,
)
from farm.scheduler.inflight import InFlight
from workers.protocol.messages import Batch, FileRef, Item, ItemError

MAX_DEATHS: Final = 3  # an item that saw so many workers die is to blame, not the workers
BATCH_BYTES: Final = 8 << 20  # raw frames are megabytes each: a batch of them stays small
LOOKAHEAD_BATCHES: Final = 3  # of every worker
LOOKAHEAD_BYTES: Final = 32 << 20


class Dispatcher:
    """The ledger of who holds what, with `window` batches of up to `batch` items per worker.

    A worker that owes an answer for more than `limit` seconds is to be killed; with None, the
    limit is learned from the answers, see farm.scheduler.batch_timeout.
    """

    def __init__(self, *, batch: int, window: int, limit: float | None) -> None:
        self._batch, self._window = batch, window
        self._time = BatchTimeout(limit, batch)
        self._waiting: deque[Task] = deque()
        self._waiting_bytes = 0
        self._workers: dict[int, InFlight] = {}
        self._next_batch = 0
        self.stray_answers = 0

    @property
    def room(self) -> int:
        """How many more tasks it is worth to submit now: `_take` halves what is there, so as not to
        shrink batches amid a run there must be two for every worker after it has filled one."""
        if self._waiting_bytes > LOOKAHEAD_BYTES:
            return 0
        return max(
            0, LOOKAHEAD_BATCHES * self._batch * max(1, len(self._workers)) - len(self._waiting)
        )

    @property
    def outstanding(self) -> int:
        """How many tasks have neither ended nor been dropped."""
        return len(self._waiting) + sum(load.items for load in self._workers.values())

    @property
    def held(self) -> dict[int, tuple[tuple[Task, ...], ...]]:
        """The tasks in each worker's hands, batch by batch."""
        return {worker: tuple(load.held.values()) for worker, load in self._workers.items()}

    @property
    def waiting(self) -> tuple[Task, ...]:
        """The tasks in nobody's hands, the next one first."""
        return tuple(self._waiting)

    def deadline(self) -> float | None:
        """When the next worker is overdue (same clock as `now`); None if nobody owes an answer."""
        owing = [
            load.progress_at + self._time.seconds
            for load in self._workers.values()
            if load.held and not load.terminating
        ]
        return min(owing, default=None)

    def handle(self, event: Event, *, now: float) -> list[Action]:
        """Take one event in; give what must be done, in order. `now` is in seconds."""
        actions: list[Action] = []
        match event:
            case Submitted(tasks):
                self._enqueue(tasks)
            case WorkerUp(worker):
                self._workers[worker] = InFlight(progress_at=now)
            case WorkerDown(worker, reason):
                actions = self._requeue(worker, reason)
            case Oversized(worker):
                actions = self._retire(worker)
            case Answered():
                actions = self._release(event, now)
            case Tick():
                actions = self._overdue(now)
            case Dropped(held):
                self._drop(held=held)
        return actions + self._fill(now)

    def _enqueue(self, tasks: Iterable[Task]) -> None:
        for task in tasks:
            self._waiting.append(task)
            self._waiting_bytes += _size(task.item)

    def _requeue(self, worker: int, reason: str) -> list[Action]:
        """Put back what a lost worker held, to the front; end what has seen too many deaths."""
        load = self._workers.pop(worker, InFlight())
        held = chain.from_iterable(load.held.values())
        tasks = [replace(task, deaths=task.deaths + 1, died_at=worker) for task in held]
        again = [task for task in tasks if task.deaths < MAX_DEATHS]
        self._waiting.extendleft(reversed(again))
        self._waiting_bytes += sum(_size(task.item) for task in again)
        error = ItemError("worker_died", f"worker died {MAX_DEATHS} times: {reason}")
        return [Deliver(task, worker, error) for task in tasks if task.deaths >= MAX_DEATHS]

    def _release(self, answer: Answered, now: float) -> list[Action]:
        load = self._workers.get(answer.worker)
        tasks = load.held.get(answer.batch) if load else None
        if load is None or tasks is None:
            self.stray_answers += 1
            return []
        outcomes = {outcome.item: outcome for outcome in answer.outcomes}
        strange = len(answer.outcomes) != len(tasks) or any(
            t.item.id not in outcomes for t in tasks
        )
        if tasks and strange:
            return self._terminate(answer.worker, "answered a batch with other items than its own")
        del load.held[answer.batch]
        self._time.learn(now - load.progress_at, max(1, len(tasks)))
        load.progress_at = now
        load.answers += 1
        delivered = [Deliver(task, answer.worker, outcomes[task.item.id]) for task in tasks]
        return [*delivered, *self._replacement(answer.worker)]

    def _retire(self, worker: int) -> list[Action]:
        """Give a worker no more work, and replace it once its hands are empty.

        One that has not answered anything yet is left alone: a new one would be as big.
        """
        load = self._workers.get(worker)
        if load is None or not load.answers:
            return []
        load.retiring = True
        return self._replacement(worker)

    def _replacement(self, worker: int) -> list[Action]:
        load = self._workers[worker]
        if not load.retiring or load.held:
            return []
        del self._workers[worker]
        return [Replace(worker)]

    def _overdue(self, now: float) -> list[Action]:
        return [
            action
            for worker, load in self._workers.items()
            if load.held and now - load.progress_at > self._time.seconds
            for action in self._terminate(
                worker, f"no answer for {round(self._time.seconds, 1):g} s", hangs=True
            )
        ]

    def _terminate(self, worker: int, reason: str, *, hangs: bool = False) -> list[Action]:
        """Ask for a worker's end, once; what it holds comes back with its WorkerDown."""
        if self._workers[worker].terminating:
            return []
        self._workers[worker].terminating = True
        return [Kill(worker, reason, hangs)]

    def _drop(self, *, held: bool) -> None:
        self._waiting.clear()
        self._waiting_bytes = 0
        if held:
            for load in self._workers.values():
                load.held = dict.fromkeys(load.held, ())

    def _fill(self, now: float) -> list[Action]:
        """Hand out what waits, to the least loaded worker first, as far as windows allow."""
        actions: list[Action] = []
        while self._waiting:
            worker = self._least_loaded(self._waiting[0])
            if worker is None:
                break
            load = self._workers[worker]
            if not load.held:
                load.progress_at = now
            tasks = self._take()
            self._next_batch += 1
            load.held[self._next_batch] = tasks
            actions.append(Send(worker, Batch(self._next_batch, tuple(t.item for t in tasks))))
        return actions

    def _least_loaded(self, task: Task) -> int | None:
        """The worker to give the next batch to, which begins with `task`.

        A suspect needs one with empty hands, and another than the one that died of it, while
        there is another: an NPU core that has gone bad must not make its items look guilty.
        """
        window = 1 if task.deaths else self._window
        barred = task.died_at if len(self._workers) > 1 else None
        loads = [
            (load.items, worker)
            for worker, load in self._workers.items()
            if len(load.held) < window and load.open and worker != barred
        ]
        return min(loads)[1] if loads else None

    def _take(self) -> tuple[Task, ...]:
        """Take the next batch off the queue: smaller near the end, so that nobody ends late.

        Guided self-scheduling (Polychronopoulos and Kuck, 1987): each takes an equal share of
        half of what is left. A task that a worker died of travels alone.
        """
        share = -(-len(self._waiting) // (2 * len(self._workers)))
        tasks: list[Task] = []
        taken_bytes = 0
        while self._waiting and len(tasks) < min(self._batch, share):
            task = self._waiting[0]
            size = _size(task.item)
            if tasks and taken_bytes + size > BATCH_BYTES:
                break
            tasks.append(self._waiting.popleft())
            taken_bytes += size
            if task.deaths:  # these are always the first in the queue
                break
        self._waiting_bytes -= taken_bytes
        return tuple(tasks)


def _size(item: Item) -> int:
    return 0 if isinstance(item.source, FileRef) else len(item.source.data)
