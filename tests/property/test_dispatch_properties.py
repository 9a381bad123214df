"""The dispatcher under anything that can happen: lost, late, double, strange and slow answers."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from farm.dispatch import MAX_DEATHS, Dispatcher
from farm.events import (
    Action,
    Answered,
    Deliver,
    Dropped,
    Kill,
    Send,
    Submitted,
    Task,
    Tick,
    WorkerDown,
    WorkerUp,
)
from workers.wire import Batch, FileRef, Item, ItemError, Outcome

LIMIT = 10.0


def outcome(item: int) -> Outcome:
    return Outcome(
        item=item,
        top5=((item, 1.0),),
        error=None,
        started=0.0,
        decode_ms=1.0,
        wait_ms=1.0,
        infer_ms=1.0,
    )


class Farm(RuleBasedStateMachine):
    """A model of workers that obey Send and Kill, and an adversary who does all else."""

    @initialize(batch=st.integers(1, 5), window=st.integers(1, 3))
    def begin(self, batch: int, window: int) -> None:
        self.window, self.batch = window, batch
        self.dispatcher = Dispatcher(batch=batch, window=window, limit=LIMIT)
        self.now = 0.0
        self.submitted: set[int] = set()
        self.ended: list[int] = []
        self.dropped: set[int] = set()
        self.deaths: dict[int, int] = {}
        self.up: dict[int, list[Batch]] = {}
        self.condemned: set[int] = set()
        self.late: list[tuple[int, Batch]] = []
        self.next_worker = 0

    def act(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Send(worker, batch):
                    assert worker in self.up
                    assert worker not in self.condemned
                    self.up[worker].append(batch)
                case Deliver(task, _, result):
                    self.ended.append(task.item.id)
                    if isinstance(result, ItemError):
                        assert task.deaths == MAX_DEATHS
                    else:
                        assert result.item == task.item.id
                case Kill(worker, _):
                    assert worker not in self.condemned
                    self.condemned.add(worker)

    @rule(count=st.integers(1, 12))
    def submit(self, count: int) -> None:
        first = len(self.submitted)
        ids = range(first, first + count)
        self.submitted.update(ids)
        tasks = tuple(Task(Item(i, FileRef(b"%d" % i)), self.now) for i in ids)
        self.act(self.dispatcher.handle(Submitted(tasks), now=self.now))

    @rule()
    def worker_comes_up(self) -> None:
        if len(self.up) < 4:
            self.next_worker += 1
            self.up[self.next_worker] = []
            self.act(self.dispatcher.handle(WorkerUp(self.next_worker), now=self.now))

    @rule(pick=st.randoms(use_true_random=False))
    def worker_answers(self, pick: object) -> None:
        busy = [w for w, held in self.up.items() if held and w not in self.condemned]
        if busy:
            worker = pick.choice(busy)  # type: ignore[attr-defined]
            batch = pick.choice(self.up[worker])  # type: ignore[attr-defined]
            self.up[worker].remove(batch)
            self.late.append((worker, batch))
            self.answer(worker, batch)

    @rule(pick=st.randoms(use_true_random=False))
    def answer_comes_again(self, pick: object) -> None:
        if self.late:
            before = len(self.ended)
            self.answer(*pick.choice(self.late))  # type: ignore[attr-defined]
            assert len(self.ended) == before

    @rule(pick=st.randoms(use_true_random=False))
    def worker_dies(self, pick: object) -> None:
        if self.up:
            worker = pick.choice(sorted(self.up))  # type: ignore[attr-defined]
            lost = self.up.pop(worker)
            self.condemned.discard(worker)
            self.late.extend((worker, batch) for batch in lost)
            for item in (item.id for batch in lost for item in batch.items):
                self.deaths[item] = self.deaths.get(item, 0) + 1
            self.act(self.dispatcher.handle(WorkerDown(worker, "SIGKILL"), now=self.now))

    @rule(pick=st.randoms(use_true_random=False))
    def worker_answers_with_another_item(self, pick: object) -> None:
        busy = [w for w, held in self.up.items() if held and w not in self.condemned]
        if busy:
            worker = pick.choice(busy)  # type: ignore[attr-defined]
            batch = self.up[worker][0]
            answered = Answered(worker, batch.id, (outcome(-1),))
            if batch.items[0].id in self.dropped:
                return  # nobody looks at what nobody wants
            self.act(self.dispatcher.handle(answered, now=self.now))
            assert worker in self.condemned

    @rule(seconds=st.sampled_from([0.1, LIMIT / 2, LIMIT + 1]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.act(self.dispatcher.handle(Tick(), now=self.now))

    @rule(held=st.booleans())
    def user_loses_interest(self, held: bool) -> None:
        waiting = {task.item.id for task in self.dispatcher.waiting}
        in_hands = {t.item.id for b in self.dispatcher.held.values() for ts in b for t in ts}
        self.dropped |= waiting | (in_hands if held else set())
        self.act(self.dispatcher.handle(Dropped(held), now=self.now))

    def answer(self, worker: int, batch: Batch) -> None:
        outcomes = tuple(outcome(item.id) for item in reversed(batch.items))
        answered = Answered(worker, batch.id, outcomes)
        self.act(self.dispatcher.handle(answered, now=self.now))

    @invariant()
    def every_item_is_in_exactly_one_place(self) -> None:
        waiting = [task.item.id for task in self.dispatcher.waiting]
        held = [t.item.id for b in self.dispatcher.held.values() for ts in b for t in ts]
        places = waiting + self.ended + held
        assert len(places) == len(set(places))
        assert set(places) | self.dropped == self.submitted
        assert not set(self.ended) & self.dropped

    @invariant()
    def nobody_holds_more_than_the_window_and_the_ledger_is_right(self) -> None:
        for worker, batches in self.dispatcher.held.items():
            assert len(batches) <= self.window
            assert all(len(batch) <= self.batch for batch in batches)
            wanted = {tuple(t.item.id for t in batch) for batch in batches} - {()}
            given = [tuple(item.id for item in batch.items) for batch in self.up[worker]]
            assert len(batches) == len(given)
            assert wanted == {ids for ids in given if not set(ids) <= self.dropped}

    @invariant()
    def nobody_idles_while_work_waits(self) -> None:
        if self.dispatcher.waiting:
            idle = [w for w, b in self.dispatcher.held.items() if not b]
            assert not set(idle) - self.condemned

    @invariant()
    def whoever_saw_a_worker_die_travels_alone(self) -> None:
        for batches in self.dispatcher.held.values():
            suspects = [batch for batch in batches if any(task.deaths for task in batch)]
            assert not suspects or (len(batches) == 1 and len(suspects[0]) == 1)

    @invariant()
    def attempts_are_bounded(self) -> None:
        assert all(deaths <= MAX_DEATHS for deaths in self.deaths.values())

    @invariant()
    def an_overdue_worker_is_condemned(self) -> None:
        deadline = self.dispatcher.deadline()
        assert deadline is None or deadline >= self.now - LIMIT - 1

    @invariant()
    def what_is_outstanding_is_counted(self) -> None:
        rest = self.submitted - set(self.ended) - self.dropped
        assert self.dispatcher.outstanding == len(rest)

    def teardown(self) -> None:
        """Whatever has happened: with one good worker, everything ends."""
        for worker in list(self.up):
            self.act(self.dispatcher.handle(WorkerDown(worker, "end"), now=self.now))
            del self.up[worker]
        self.up[-1] = []
        self.act(self.dispatcher.handle(WorkerUp(-1), now=self.now))
        while self.up[-1]:
            self.answer(-1, self.up[-1].pop(0))
        assert sorted(self.ended) == sorted(self.submitted - self.dropped)
        assert self.dispatcher.outstanding == 0


TestDispatcher = Farm.TestCase
TestDispatcher.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
