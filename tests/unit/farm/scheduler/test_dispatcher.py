from __future__ import annotations

from farm.scheduler.dispatcher import IN_FLIGHT_BYTES, LOOKAHEAD_BYTES, MAX_DEATHS, Dispatcher
from farm.scheduler.events import (
    Action,
    Answered,
    Deliver,
    Dropped,
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
from tests.helpers.support import outcome
from workers.protocol.messages import Batch, Encoded, FileRef, Item, ItemError, Outcome

RUN = 0


def jobs(first: int, count: int, run: int = RUN) -> tuple[Job, ...]:
    return tuple(Job(Item(i, FileRef(b"x")), 0.0, run) for i in range(first, first + count))


def dispatcher(workers: int, *, batch: int = 4, window: int = 2) -> Dispatcher:
    made = Dispatcher(batch=batch, window=window, limit=5.0)
    for worker in range(workers):
        made.handle(WorkerUp(worker), now=0.0)
    return made


def batches(actions: list[Action]) -> list[tuple[int, tuple[int, ...]]]:
    return [
        (send.worker, tuple(item.id for item in send.batch.items))
        for send in actions
        if isinstance(send, Send)
    ]


def answer(batch: Batch) -> tuple[Outcome, ...]:
    return tuple(outcome(item.id) for item in batch.items)


def test_work_goes_round_the_workers_up_to_the_window() -> None:
    actions = dispatcher(2, batch=2).handle(Submitted(jobs(0, 20)), now=0.0)
    assert batches(actions) == [(0, (0, 1)), (1, (2, 3)), (0, (4, 5)), (1, (6, 7))]


def test_batches_shrink_towards_the_end() -> None:
    d = dispatcher(2, batch=8, window=1)
    pending = [a for a in d.handle(Submitted(jobs(0, 20)), now=0.0) if isinstance(a, Send)]
    sizes = []
    while pending:
        send = pending.pop(0)
        sizes.append(len(send.batch.items))
        answered = Answered(send.worker, send.batch.id, answer(send.batch))
        actions = d.handle(answered, now=0.0)
        pending += [a for a in actions if isinstance(a, Send)]
    assert sum(sizes) == 20
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-2:] == [1, 1]


def test_a_lost_workers_items_go_first_and_alone() -> None:
    d = dispatcher(1, batch=2, window=1)
    assert batches(d.handle(Submitted(jobs(0, 8)), now=0.0)) == [(0, (0, 1))]
    d.handle(WorkerDown(0, "SIGKILL"), now=1.0)
    assert batches(d.handle(WorkerUp(0), now=2.0)) == [(0, (0,))]


def test_an_item_that_workers_die_of_ends_as_an_error() -> None:
    d = dispatcher(0)
    d.handle(Submitted(jobs(0, 1)), now=0.0)
    for death in range(MAX_DEATHS):
        d.handle(WorkerUp(0), now=float(death))
        actions = d.handle(WorkerDown(0, "SIGSEGV"), now=float(death))
    (deliver,) = actions
    assert isinstance(deliver, Deliver)
    assert deliver.outcome == ItemError("worker_died", "worker died 3 times: SIGSEGV")
    assert d.outstanding(RUN) == 0


def test_an_overdue_worker_is_killed_once() -> None:
    d = dispatcher(1)
    d.handle(Submitted(jobs(0, 1)), now=0.0)
    assert d.deadline() == 5.0
    assert d.handle(Tick(), now=5.0) == []
    assert d.handle(Tick(), now=5.1) == [Kill(0, "no answer for 5 s", hangs=True)]
    assert d.handle(Tick(), now=9.0) == []
    assert d.deadline() is None


def test_the_time_for_a_batch_starts_when_the_one_before_is_answered() -> None:
    d = dispatcher(1, batch=1)
    first, _ = d.handle(Submitted(jobs(0, 2)), now=0.0)
    assert isinstance(first, Send)
    d.handle(Answered(0, first.batch.id, answer(first.batch)), now=4.0)
    assert d.deadline() == 9.0


def test_a_late_answer_of_a_lost_worker_is_dropped_and_counted() -> None:
    d = dispatcher(1)
    (send,) = d.handle(Submitted(jobs(0, 1)), now=0.0)
    assert isinstance(send, Send)
    d.handle(WorkerDown(0, "SIGKILL"), now=1.0)
    late = Answered(0, send.batch.id, answer(send.batch))
    assert d.handle(late, now=2.0) == []
    assert d.stray_answers == 1


def test_big_images_in_memory_bound_the_look_ahead_and_the_batch() -> None:
    d = dispatcher(1, batch=8, window=1)
    frame = bytes(6 << 20)
    frames = tuple(Job(Item(i, Encoded(frame)), 0.0) for i in range(10))
    actions = d.handle(Submitted(frames), now=0.0)
    assert batches(actions) == [(0, (0,))]
    assert 9 * len(frame) > LOOKAHEAD_BYTES
    assert d.room(RUN) == 0


def answered(send: Action, worker: int = 0) -> Answered:
    assert isinstance(send, Send)
    return Answered(worker, send.batch.id, answer(send.batch))


def test_suspects_go_one_by_one_and_then_the_rest_in_batches() -> None:
    d = dispatcher(1, batch=2, window=1)
    d.handle(Submitted(jobs(0, 8)), now=0.0)
    d.handle(WorkerDown(0, "SIGKILL"), now=1.0)
    sent = []
    actions = d.handle(WorkerUp(0), now=2.0)
    while actions:
        sent += batches(actions)
        (*_, send) = actions
        actions = [a for a in d.handle(answered(send), now=3.0) if isinstance(a, Send)]
    assert [ids for _, ids in sent] == [(0,), (1,), (2, 3), (4, 5), (6,), (7,)]


def test_an_idle_worker_is_never_overdue() -> None:
    d = dispatcher(2)
    d.handle(Submitted(jobs(0, 1)), now=0.0)
    assert [kill.worker for kill in d.handle(Tick(), now=99.0) if isinstance(kill, Kill)] == [0]


def test_what_a_lost_worker_held_goes_to_an_idle_one_at_once() -> None:
    d = dispatcher(2)
    assert batches(d.handle(Submitted(jobs(0, 1)), now=0.0)) == [(0, (0,))]
    assert batches(d.handle(WorkerDown(0, "SIGKILL"), now=1.0)) == [(1, (0,))]


def test_an_answer_with_an_item_too_many_is_not_believed() -> None:
    d = dispatcher(1)
    (send,) = d.handle(Submitted(jobs(0, 1)), now=0.0)
    assert isinstance(send, Send)
    too_many = answer(Batch(1, (*send.batch.items, Item(7, FileRef(b"y")))))
    (kill,) = d.handle(Answered(0, send.batch.id, too_many), now=1.0)
    assert isinstance(kill, Kill)
    assert d.outstanding(RUN) == 1


def test_there_is_room_again_once_big_images_are_taken() -> None:
    d = dispatcher(1, batch=1, window=1)
    frames = tuple(Job(Item(i, Encoded(bytes(LOOKAHEAD_BYTES // 2))), 0.0) for i in range(4))
    (send,) = d.handle(Submitted(frames), now=0.0)
    assert d.room(RUN) == 0
    (*_, send) = d.handle(answered(send), now=1.0)
    d.handle(answered(send), now=2.0)
    assert d.room(RUN) > 0


def test_the_time_for_a_batch_starts_when_an_idle_worker_gets_it() -> None:
    d = dispatcher(1)
    d.handle(Submitted(jobs(0, 1)), now=100.0)
    assert d.deadline() == 105.0


def test_an_answer_that_nobody_wants_any_more_is_no_fault_of_its_worker() -> None:
    d = dispatcher(1)
    (send,) = d.handle(Submitted(jobs(0, 1)), now=0.0)
    d.handle(Dropped(RUN, held=True), now=1.0)
    assert d.outstanding(RUN) == 0
    assert d.handle(answered(send), now=2.0) == []
    assert d.held == {0: ()}


def test_nothing_joins_a_suspect_in_a_workers_hands() -> None:
    d = dispatcher(1)
    d.handle(Submitted(jobs(0, 1)), now=0.0)
    d.handle(WorkerDown(0, "SIGKILL"), now=1.0)
    d.handle(Submitted(jobs(1, 5)), now=2.0)
    assert batches(d.handle(WorkerUp(0), now=3.0)) == [(0, (0,))]


def test_an_item_that_a_worker_died_of_goes_to_another_worker() -> None:
    d = dispatcher(2, batch=1, window=1)
    (first,) = batches(d.handle(Submitted(jobs(0, 1)), now=0.0))
    assert first == (0, (0,))
    assert batches(d.handle(WorkerDown(0, "SIGSEGV"), now=1.0)) == [(1, (0,))]
    assert batches(d.handle(WorkerDown(1, "SIGSEGV"), now=2.0)) == []  # nobody is left
    # Worker 1 comes back first; while it is alone, it is better than nobody.
    assert batches(d.handle(WorkerUp(1), now=3.0)) == [(1, (0,))]


def test_a_worker_that_is_back_with_empty_hands_does_not_get_the_item_it_died_of_again() -> None:
    d = dispatcher(2, batch=1, window=1)
    sent = d.handle(Submitted(jobs(0, 2)), now=0.0)
    assert batches(sent) == [(0, (0,)), (1, (1,))]
    assert batches(d.handle(WorkerDown(0, "SIGSEGV"), now=1.0)) == []
    assert batches(d.handle(WorkerUp(0), now=2.0)) == []  # it would wait for worker 1
    of_one = next(s.batch for s in sent if isinstance(s, Send) and s.worker == 1)
    done = d.handle(Answered(1, of_one.id, answer(of_one)), now=3.0)
    assert batches(done) == [(1, (0,))]


def test_a_worker_that_has_grown_too_big_is_replaced_when_its_hands_are_empty() -> None:
    d = dispatcher(2, batch=1, window=2)
    first = [s for s in d.handle(Submitted(jobs(0, 4)), now=0.0) if isinstance(s, Send)]
    of_zero = [s.batch for s in first if s.worker == 0]
    d.handle(Answered(0, of_zero[0].id, answer(of_zero[0])), now=1.0)
    assert d.handle(Oversized(0), now=1.0) == []
    assert batches(d.handle(Submitted(jobs(4, 2)), now=1.0)) == []  # nothing more for it
    actions = d.handle(Answered(0, of_zero[1].id, answer(of_zero[1])), now=2.0)
    assert Replace(0) in actions
    assert 0 not in d.held
    again = batches(d.handle(WorkerUp(0), now=3.0))
    assert [worker for worker, _ in again] == [0, 0]


def test_a_new_worker_that_is_as_big_is_left_at_work() -> None:
    d = dispatcher(1)
    d.handle(Submitted(jobs(0, 1)), now=0.0)
    assert d.handle(Oversized(0), now=1.0) == []
    assert 0 in d.held
    assert d.handle(Oversized(9), now=1.0) == []  # nobody we know


def test_with_a_learned_limit_a_slow_model_is_given_more_time() -> None:
    d = Dispatcher(batch=1, window=1, limit=None)
    d.handle(WorkerUp(0), now=0.0)
    (sent,) = d.handle(Submitted(jobs(0, 1)), now=0.0)
    assert isinstance(sent, Send)
    d.handle(Answered(0, sent.batch.id, answer(sent.batch)), now=50.0)
    d.handle(Submitted(jobs(1, 1)), now=100.0)
    assert d.handle(Tick(), now=100.0 + 20 * 50 - 1) == []
    assert d.handle(Tick(), now=100.0 + 20 * 50 + 1) == [
        Kill(0, "no answer for 1000 s", hangs=True)
    ]


def test_big_images_that_come_back_count_for_the_look_ahead_again() -> None:
    d = dispatcher(1)
    frames = tuple(Job(Item(i, Encoded(bytes(LOOKAHEAD_BYTES * 3 // 4))), 0.0) for i in range(2))
    d.handle(Submitted(frames), now=0.0)
    assert d.room(RUN) > 0
    d.handle(WorkerDown(0, "SIGKILL"), now=1.0)
    assert d.room(RUN) == 0


def test_a_second_batch_in_its_hands_gives_a_worker_no_more_time_for_the_first() -> None:
    d = dispatcher(1)
    d.handle(Submitted(jobs(0, 1)), now=0.0)
    assert batches(d.handle(Submitted(jobs(1, 1)), now=4.0)) == [(0, (1,))]
    assert d.deadline() == 5.0


def test_runs_take_turns_batch_by_batch_and_a_batch_is_of_one_run() -> None:
    d = dispatcher(1, batch=2, window=1)
    sends = d.handle(Submitted(jobs(0, 40)), now=0.0)
    d.handle(Submitted(jobs(100, 40, run=1)), now=0.0)
    d.handle(Submitted(jobs(200, 40, run=2)), now=0.0)
    given = []
    for _ in range(7):
        given += batches(sends)
        sends = [each for each in d.handle(answered(sends[0]), now=1.0) if isinstance(each, Send)]
    firsts = [ids[0] for _, ids in given]
    assert firsts == [0, 2, 100, 200, 4, 102, 202]
    assert all(ids == (ids[0], ids[0] + 1) for _, ids in given)


def test_a_run_that_is_dropped_takes_nothing_of_another_with_it() -> None:
    d = dispatcher(1, batch=2, window=2)
    d.handle(Submitted(jobs(0, 8)), now=0.0)
    sends = d.handle(Submitted(jobs(0, 8, run=1)), now=0.0)
    assert sends == []  # both windows hold batches of the first run
    d.handle(Dropped(RUN, held=True), now=1.0)
    assert d.outstanding(RUN) == 0
    assert d.outstanding(1) == 8
    assert {job.run for job in d.waiting} == {1}


def test_what_a_lost_worker_held_goes_back_to_its_own_run() -> None:
    d = dispatcher(1, batch=1, window=2)
    d.handle(Submitted(jobs(0, 2)), now=0.0)
    d.handle(Submitted(jobs(0, 2, run=1)), now=0.0)
    d.handle(WorkerDown(0, "SIGKILL"), now=1.0)
    assert [(job.run, job.item.id, job.deaths) for job in d.waiting] == [
        (0, 0, 1),
        (0, 1, 1),
        (1, 0, 0),
        (1, 1, 0),
    ]


def test_big_images_of_one_run_leave_room_for_another() -> None:
    d = dispatcher(1, batch=8, window=1)
    frames = tuple(Job(Item(i, Encoded(bytes(LOOKAHEAD_BYTES // 4))), 0.0) for i in range(6))
    d.handle(Submitted(frames), now=0.0)
    assert d.room(RUN) == 0
    assert d.room(1) > 0


def test_a_batch_that_nobody_wants_says_nothing_of_how_long_one_takes() -> None:
    d = Dispatcher(batch=1, window=1, limit=None)
    d.handle(WorkerUp(0), now=0.0)
    for at, dropped in ((0.0, False), (10.0, True)):
        (send,) = d.handle(Submitted(jobs(0, 1)), now=at)
        if dropped:
            d.handle(Dropped(RUN, held=True), now=at)
        d.handle(answered(send), now=at + (100.0 if dropped else 1.0))
    d.handle(Submitted(jobs(0, 1)), now=1000.0)
    assert d.deadline() == 1000.0 + 20.0  # 20 times the one second that was wanted


def test_a_worker_that_has_what_nobody_wants_is_not_idle() -> None:
    d = dispatcher(2, batch=4, window=2)
    d.handle(Submitted(jobs(0, 1)), now=0.0)
    d.handle(Dropped(RUN, held=True), now=0.0)
    assert batches(d.handle(Submitted(jobs(0, 1, run=1)), now=0.0)) == [(1, (0,))]


def sends(d: Dispatcher, count: int, *, now: float = 0.0) -> list[Send]:
    """What is sent of so many new items."""
    actions = d.handle(Submitted(jobs(0, count)), now=now)
    return [each for each in actions if isinstance(each, Send)]


def test_a_worker_that_goes_on_with_other_batches_is_killed_for_the_one_that_hangs() -> None:
    d = dispatcher(1, batch=1, window=3)
    _, *others = sends(d, 9)
    for second in range(1, 6):
        assert d.deadline() == 5.0
        actions = d.handle(answered(others.pop(0)), now=float(second))
        others += [each for each in actions if isinstance(each, Send)]
    assert d.handle(Tick(), now=5.1) == [Kill(0, "no answer for 5 s", hangs=True)]


def test_a_batch_that_overtook_says_nothing_of_how_long_one_takes() -> None:
    d = Dispatcher(batch=1, window=2, limit=None)
    d.handle(WorkerUp(0), now=0.0)
    first, second = sends(d, 2)
    d.handle(answered(second), now=50.0)
    d.handle(answered(first), now=50.0)
    (_,) = sends(d, 1, now=100.0)
    assert d.deadline() == 100.0 + 20 * 50.0


def frames(count: int, size: int, run: int = RUN) -> tuple[Job, ...]:
    data = Encoded(bytes(size))
    return tuple(Job(Item(i, data), 0.0, run) for i in range(count))


def test_big_images_are_sent_until_so_many_bytes_are_in_flight() -> None:
    d = dispatcher(4, batch=1, window=2)
    first = d.handle(Submitted(frames(8, IN_FLIGHT_BYTES // 3 + 1)), now=0.0)
    assert len(batches(first)) == 3
    for send in first:
        (*_, another) = d.handle(answered(send, worker=batches([send])[0][0]), now=1.0)
        assert isinstance(another, Send)


def test_one_image_is_sent_however_big_it_is() -> None:
    d = dispatcher(2, batch=1)
    assert len(batches(d.handle(Submitted(frames(2, IN_FLIGHT_BYTES + 1)), now=0.0))) == 1


def test_bytes_that_nobody_wants_any_more_are_in_flight_until_they_are_answered() -> None:
    d = dispatcher(2, batch=1)
    (send,) = d.handle(Submitted(frames(1, IN_FLIGHT_BYTES)), now=0.0)
    d.handle(Dropped(RUN, held=True), now=0.0)
    assert d.handle(Submitted(frames(1, 1, run=1)), now=0.0) == []
    assert len(batches(d.handle(answered(send), now=0.0))) == 1
