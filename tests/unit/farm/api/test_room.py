from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from farm.api.room import Bound, Room


def is_in(entered: Future[None] | None) -> bool:
    return entered is None or entered.done()


def test_who_comes_first_is_let_in_first() -> None:
    room = Room(Bound(items=2))
    entered = [room.enter(0) for _ in range(4)]
    assert [is_in(each) for each in entered] == [True, True, False, False]
    room.leave(0)
    assert [is_in(each) for each in entered] == [True, True, True, False]


def test_bytes_are_bounded_and_what_is_alone_has_room() -> None:
    room = Room(Bound(items=10, bytes=100))
    big, small = room.enter(500), room.enter(1)
    assert (is_in(big), is_in(small)) == (True, False)
    room.leave(500)
    assert is_in(small)


def test_who_waits_no_longer_is_passed_over() -> None:
    room = Room(Bound(items=1))
    first, impatient, last = (room.enter(0) for _ in range(3))
    assert first is None
    assert impatient is not None
    assert last is not None
    assert impatient.cancel()
    room.leave(0)
    assert last.done()
    assert not last.cancel()  # too late: it has its room


steps = st.lists(st.tuples(st.sampled_from(["enter", "leave", "cancel"]), st.integers(0, 60)))


@given(steps)
def test_never_more_than_the_bound_and_nobody_waits_beside_room(
    steps: list[tuple[str, int]],
) -> None:
    room, inside = Room(Bound(items=3, bytes=100)), list[int]()
    waiting: deque[tuple[int, Future[None] | None]] = deque()
    for what, number in steps:
        if what == "enter":
            waiting.append((number, room.enter(number)))
        elif what == "leave" and inside:
            room.leave(inside.pop(number % len(inside)))
        elif what == "cancel" and len(waiting) > 1:
            # Not the first one: who waits behind it would be let in with the next that leaves.
            del_at = 1 + number % (len(waiting) - 1)
            impatient = waiting[del_at][1]
            assert impatient is not None
            impatient.cancel()
            del waiting[del_at]
        while waiting and is_in(waiting[0][1]):
            inside.append(waiting.popleft()[0])
        assert not any(is_in(entered) for _, entered in waiting), "in turn"
        assert len(inside) <= 3
        assert sum(inside) <= 100 or len(inside) == 1
        if waiting:
            full = len(inside) == 3 or sum(inside) + waiting[0][0] > 100
            assert full
            assert inside


def test_many_threads_are_all_let_in_and_none_is_counted_twice() -> None:
    room, most, now, lock = Room(Bound(items=3)), 0, 0, threading.Lock()

    def come_and_go(_: int) -> None:
        nonlocal most, now
        entered = room.enter(1)
        if entered is not None:
            entered.result(60)
        with lock:
            now += 1
            most = max(most, now)
        with lock:
            now -= 1
        room.leave(1)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(come_and_go, range(400)))
    assert now == 0
    assert most <= 3
    assert [is_in(room.enter(1)) for _ in range(4)] == [True, True, True, False]
