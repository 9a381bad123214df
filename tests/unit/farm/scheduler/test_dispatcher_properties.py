"""The dispatcher under anything that can happen: lost, late, double, strange and slow answers.

The model knows no ledger: only what workers have been sent, what is on its way from them, and what
has been returned. Items are numbered by the model; their own ids are unique within their run only.
Slots are used again by later workers, as in a farm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from farm.scheduler.dispatcher import (
    BATCH_BYTES,
    IN_FLIGHT_BYTES,
    LOOKAHEAD_BATCHES,
    LOOKAHEAD_BYTES,
    MAX_DEATHS,
    Dispatcher,
)
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
from farm.scheduler.inflight import FEW_BYTES, FEW_ITEMS
from tests.helpers.support import outcome
from workers.protocol.messages import Batch, Encoded, FileRef, Item, ItemError

LIMIT = 10.0
SLOTS = 4
RUNS = 3
picks = st.integers(0, 10**6)


# A failure is made small before it is told, for up to five minutes.
pytestmark = pytest.mark.timeout(400)


class Frame(bytes):
    """Pixels that nobody wants to see printed."""

    def __repr__(self) -> str:
        return "Frame"


# Two of these do not travel together, four are more than the look-ahead, or than may be in flight.
FRAME = Frame(max(BATCH_BYTES // 2, LOOKAHEAD_BYTES // 4, IN_FLIGHT_BYTES // 4) + 1)


class Farm(RuleBasedStateMachine):
    """Workers that obey Send and Kill, and an adversary who does all else."""

    @initialize(batch=st.integers(1, 5), window=st.integers(1, 3))
    def begin(self, batch: int, window: int) -> None:
        self.batch, self.window = batch, window
        self.dispatcher = Dispatcher(batch=batch, window=window, limit=LIMIT)
        self.now = 0.0
        self.submitted: dict[int, Item] = {}
        self.run_of: dict[int, int] = {}
        self.ended: Counter[int] = Counter()
        self.dropped: set[int] = set()
        self.deaths: Counter[int] = Counter()
        self.hands: dict[int, list[Batch]] = {}  # of those that are up: what they still hold
        self.terminating: set[int] = set()
        self.due: dict[int, float] = {}  # of those that hold something: when they must be killed
        self.latest: dict[int, float] = {}  # by batch: when its worker has answered it or is killed
        self.flying: list[Answered] = []  # answers on their way, some for ever
        self.batches: set[int] = set()
        self.died_at: dict[int, int] = {}  # where an item last saw a worker die
        self.answered: set[int] = set()  # who has answered something since it came up
        self.retiring: set[int] = set()

    def hear(self, event: Event) -> None:
        """Have the dispatcher handle an event, and do what it asks for."""
        for action in self.dispatcher.handle(event, now=self.now):
            self.obey(action)

    def number(self, item: Item) -> int:
        """The model's number of an item, which is the very object that was submitted."""
        return next(number for number, each in self.submitted.items() if each is item)

    def numbers(self, batch: Batch) -> list[int]:
        return [self.number(item) for item in batch.items]

    def obey(self, action: Action) -> None:
        match action:
            case Send(worker, batch):
                self.check_send(worker, batch)
                self.due.setdefault(worker, self.now + LIMIT)
                self.hands[worker].append(batch)
                self.latest[batch.id] = self.now + LIMIT * len(self.hands[worker])
            case Deliver(job, _, result):
                number = self.number(job.item)
                self.ended[number] += 1
                assert job.run == self.run_of[number]
                assert job.deaths == self.deaths[number]
                if isinstance(result, ItemError):
                    assert result.kind == "worker_died"
                    assert job.deaths == MAX_DEATHS
                else:
                    assert result.item == job.item.id
            case Kill(worker, _):
                assert worker in self.hands
                assert worker not in self.terminating
                self.terminating.add(worker)
            case Replace(worker):
                assert worker in self.retiring
                assert self.hands[worker] == []
                self.leave(worker)

    def leave(self, worker: int) -> list[Batch]:
        """A worker's process is gone; gives what it held."""
        self.terminating.discard(worker)
        self.retiring.discard(worker)
        self.answered.discard(worker)
        self.due.pop(worker, None)
        return self.hands.pop(worker)

    def die_with(self, worker: int) -> list[Batch]:
        lost = self.leave(worker)
        ids = [number for batch in lost for number in self.numbers(batch)]
        self.deaths.update(ids)
        self.died_at.update(dict.fromkeys(ids, worker))
        return lost

    def check_send(self, worker: int, batch: Batch) -> None:
        assert worker in self.hands, "it is down"
        assert worker not in self.terminating | self.retiring
        assert batch.id not in self.batches, "a number is used once"
        self.batches.add(batch.id)
        if size_of(batch.items):
            assert self.bytes_in_flight() < IN_FLIGHT_BYTES, "no more than a batch above"
        ids = self.numbers(batch)
        assert 0 < len(ids) <= self.batch
        assert len({self.run_of[i] for i in ids}) == 1
        few = min(FEW_ITEMS, self.window * self.batch)
        items = [item for each in self.hands[worker] for item in each.items]
        small = len(items) < few and size_of(items) + size_of(batch.items[:1]) <= FEW_BYTES
        assert len(self.hands[worker]) < self.window or small
        assert not any(self.ended[i] or i in self.dropped for i in ids)
        assert all(self.deaths[i] < MAX_DEATHS for i in ids)
        if len(ids) > 1:
            assert sum(
                len(i.source.data) for i in batch.items if isinstance(i.source, Encoded)
            ) <= (BATCH_BYTES)
        held = [number for each in self.hands[worker] for number in self.numbers(each)]
        assert not any(self.deaths[i] for i in held if i not in self.dropped), "a suspect is alone"
        if any(self.deaths[i] for i in ids):
            assert len(ids) == 1
            assert self.hands[worker] == []
            assert worker != self.died_at[ids[0]] or len(self.hands) == 1, "another is there"

    def bytes_in_flight(self) -> int:
        held = [batch for batches in self.hands.values() for batch in batches]
        return sum(size_of(batch.items) for batch in held)

    def busy(self) -> list[int]:
        return sorted(worker for worker, held in self.hands.items() if held)

    # What users do.

    @rule(count=st.integers(1, 12), big=st.booleans(), run=st.integers(0, RUNS - 1))
    def submit(self, count: int, big: bool, run: int) -> None:
        first, first_of_run = len(self.submitted), list(self.run_of.values()).count(run)
        source = Encoded(FRAME) if big else FileRef(b"x")
        items = [Item(first_of_run + at, source) for at in range(count)]
        self.submitted |= dict(enumerate(items, start=first))
        self.run_of |= dict.fromkeys(range(first, first + count), run)
        self.hear(Submitted(tuple(Job(item, self.now, run) for item in items)))

    @rule(held=st.booleans(), run=st.integers(0, RUNS - 1))
    def lose_interest(self, held: bool, run: int) -> None:
        in_hands = {n for each in self.hands.values() for b in each for n in self.numbers(b)}
        unended = {n for n in self.submitted if not self.ended[n] and self.run_of[n] == run}
        self.dropped |= unended if held else unended - in_hands
        self.hear(Dropped(run, held))

    @rule(run=st.integers(0, RUNS - 1), ids=st.frozensets(st.integers(0, 30), max_size=8))
    def lose_interest_in_some(self, run: int, ids: frozenset[int]) -> None:
        in_hands = {n for each in self.hands.values() for b in each for n in self.numbers(b)}
        for number, item in self.submitted.items():
            waits = not self.ended[number] and number not in in_hands
            if waits and self.run_of[number] == run and item.id in ids:
                self.dropped.add(number)
        self.hear(Dropped(run, held=False, items=ids))

    # What time does.

    @rule(seconds=st.sampled_from([0.0, 0.125, LIMIT / 2, LIMIT, LIMIT + 0.125]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        overdue = {worker for worker, at in self.due.items() if self.now > at} - self.terminating
        before = set(self.terminating)
        self.hear(Tick())
        assert self.terminating - before == overdue
        held = [
            each for worker in self.hands.keys() - self.terminating for each in self.hands[worker]
        ]
        assert all(self.now <= self.latest[batch.id] for batch in held)

    # What workers do.

    @precondition(lambda self: len(self.hands) < SLOTS)
    @rule(pick=picks)
    def come_up(self, pick: int) -> None:
        free = [worker for worker in range(SLOTS) if worker not in self.hands]
        worker = free[pick % len(free)]
        self.hands[worker] = []
        self.hear(WorkerUp(worker))

    @precondition(lambda self: self.hands)
    @rule(pick=picks, last_words=st.booleans())
    def die(self, pick: int, last_words: bool) -> None:
        worker = sorted(self.hands)[pick % len(self.hands)]
        lost = self.die_with(worker)
        if last_words:  # sent before it died, heard after
            self.flying += [answer_to(worker, batch) for batch in lost]
        self.hear(WorkerDown(worker, "SIGKILL"))

    @precondition(lambda self: self.hands)
    @rule(pick=picks)
    def grow(self, pick: int) -> None:
        worker = sorted(self.hands)[pick % len(self.hands)]
        if worker in self.answered:  # a new one would be as big
            self.retiring.add(worker)
        self.hear(Oversized(worker))

    @precondition(lambda self: self.busy())
    @rule(pick=picks, twice=st.booleans())
    def answer(self, pick: int, twice: bool) -> None:
        worker, batch = self.some_batch(pick)
        self.flying += [answer_to(worker, batch)] * (2 if twice else 1)

    @precondition(lambda self: self.flying)
    @rule(pick=picks, again=st.booleans())
    def answer_arrives(self, pick: int, again: bool) -> None:
        at = pick % len(self.flying)
        answered = self.flying[at] if again else self.flying.pop(at)
        self.arrive(answered)

    @precondition(lambda self: self.busy())
    @rule(pick=picks, kind=st.sampled_from(["other", "more", "fewer", "double"]))
    def answer_strangely(self, pick: int, kind: str) -> None:
        worker, batch = self.some_batch(pick)
        right = tuple(outcome(item.id) for item in batch.items)
        wrong = {
            "other": (*right[1:], outcome(-1)),
            "more": (*right, outcome(-1)),
            "fewer": right[1:],
            "double": (*right, right[0]),
        }[kind]
        before, wanted = self.ended.copy(), set(self.numbers(batch)) - self.dropped
        if not wanted:
            self.put_down(worker, batch)  # nobody looks at what nobody wants
        self.hear(Answered(worker, batch.id, wrong))
        assert self.ended == before
        assert not wanted or worker in self.terminating

    @precondition(lambda self: self.busy())
    @rule(pick=picks, stranger=st.integers(-1, SLOTS))
    def answer_for_another(self, pick: int, stranger: int) -> None:
        worker, batch = self.some_batch(pick)
        if stranger != worker:
            before, strays = self.ended.copy(), self.dispatcher.stray_answers
            self.hear(replace(answer_to(worker, batch), worker=stranger))
            assert self.ended == before
            assert self.dispatcher.stray_answers == strays + 1

    def some_batch(self, pick: int) -> tuple[int, Batch]:
        busy = self.busy()
        worker = busy[pick % len(busy)]
        held = self.hands[worker]
        return worker, held[pick % len(held)]

    def arrive(self, answered: Answered) -> None:
        """Let an answer arrive: what it is about ends now, if it is the first and in time."""
        before, strays = self.ended.copy(), self.dispatcher.stray_answers
        held = self.hands.get(answered.worker, [])
        batch = next((b for b in held if b.id == answered.batch), None)
        if batch is not None:
            self.put_down(answered.worker, batch)
        self.hear(answered)
        wanted = [] if batch is None else [n for n in self.numbers(batch) if n not in self.dropped]
        assert self.ended - before == Counter(wanted)
        assert self.dispatcher.stray_answers == strays + (batch is None)

    def put_down(self, worker: int, batch: Batch) -> None:
        """The worker has answered a batch: if it was the oldest, the time for the next begins."""
        if batch is self.hands[worker][0]:
            self.due[worker] = self.now + LIMIT
        self.hands[worker].remove(batch)
        self.answered.add(worker)
        if not self.hands[worker]:
            del self.due[worker]

    # What must always be so.

    @invariant()
    def every_item_is_in_exactly_one_place(self) -> None:
        waiting = Counter(self.number(job.item) for job in self.dispatcher.waiting)
        in_hands = [t for bs in self.dispatcher.held.values() for ts in bs for t in ts]
        held = Counter(self.number(job.item) for job in in_hands)
        dropped = Counter(self.dropped)
        assert waiting + held + self.ended + dropped == Counter(list(self.submitted))
        for run in range(RUNS):
            outstanding = sum(self.run_of[number] == run for number in waiting + held)
            assert self.dispatcher.outstanding(run) == outstanding
        assert self.dispatcher.busy == bool(waiting + held)

    @invariant()
    def the_ledger_is_what_is_in_the_workers_hands(self) -> None:
        held = self.dispatcher.held
        assert held.keys() == self.hands.keys()
        for worker, batches in self.hands.items():
            wanted = [
                sorted(n for n in self.numbers(batch) if n not in self.dropped) for batch in batches
            ]
            found = [sorted(self.number(t.item) for t in jobs) for jobs in held[worker]]
            assert sorted(found) == sorted(wanted)

    @invariant()
    def nobody_idles_while_work_waits(self) -> None:
        if self.dispatcher.waiting:
            idle = {worker for worker, held in self.hands.items() if not held}
            first = self.number(self.dispatcher.waiting[0].item)
            barred = self.died_at.get(first, -1)
            allowed = self.terminating | ({barred} if len(self.hands) > 1 else set())
            full = self.bytes_in_flight() >= IN_FLIGHT_BYTES
            assert idle <= allowed or (full and size_of([self.dispatcher.waiting[0].item]))

    @invariant()
    def the_deadline_is_that_of_the_first_who_owes(self) -> None:
        owing = [at for worker, at in self.due.items() if worker not in self.terminating]
        assert self.dispatcher.deadline() == min(owing, default=None)

    @invariant()
    def there_is_room_for_the_next_batches_and_no_more(self) -> None:
        waiting = self.dispatcher.waiting
        ahead = LOOKAHEAD_BATCHES * self.batch * max(1, len(self.hands))
        for run in range(RUNS):
            mine = [job.item for job in waiting if job.run == run]
            share = LOOKAHEAD_BYTES // len({run, *(job.run for job in waiting)})
            wanted = 0 if size_of(mine) > share else ahead
            assert self.dispatcher.room(run) == max(0, wanted - len(mine))

    def teardown(self) -> None:
        """Once workers are honest, every item that was not dropped ends."""
        if not hasattr(self, "hands"):
            return
        while self.flying:
            self.arrive(self.flying.pop())
        for worker in sorted(self.terminating):
            self.die_with(worker)
            self.hear(WorkerDown(worker, "killed"))
        while self.dispatcher.busy or self.busy():
            if not self.hands:
                self.hands[0] = []
                self.hear(WorkerUp(0))
            self.arrive(answer_to(*self.some_batch(0)))
        assert self.ended == Counter(set(self.submitted) - self.dropped)
        assert not self.dispatcher.busy


def size_of(items: Iterable[Item]) -> int:
    return sum(len(item.source.data) for item in items if isinstance(item.source, Encoded))


def answer_to(worker: int, batch: Batch) -> Answered:
    """The right answer, in another order."""
    outcomes = tuple(outcome(item.id) for item in reversed(batch.items))
    return Answered(worker, batch.id, outcomes)


TestDispatcher = Farm.TestCase
TestDispatcher.settings = settings(max_examples=200, stateful_step_count=40)
