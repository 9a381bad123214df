from __future__ import annotations

from farm.results.ordering import ArrivalOrder, InputOrder
from farm.results.result import Result, Timings


def result(number: int) -> Result:
    return Result(
        id=number,
        path=None,
        top5=(),
        error=None,
        worker=0,
        attempts=1,
        ms=Timings(queue=0.0, decode=0.0, wait=0.0, infer=0.0, total=0.0),
        simulated=False,
    )


def ids(results: list[Result]) -> list[int]:
    return [result.id for result in results]


def test_in_order_each_result_waits_for_those_before_it() -> None:
    order = InputOrder(10)
    assert ids(list(order.put(result(12)))) == []
    assert ids(list(order.put(result(10)))) == [10]
    assert ids(list(order.put(result(11)))) == [11, 12]
    assert order.behind(15) == 2


def test_a_run_that_is_stopped_gives_what_was_held_back() -> None:
    order = InputOrder(0)
    given = [r for number in (0, 4, 2) for r in order.put(result(number))]
    assert ids(given) == [0]
    assert ids(list(order.rest())) == [2, 4]


def test_as_they_come_nothing_is_held_back() -> None:
    order = ArrivalOrder()
    assert ids([r for number in (3, 1) for r in order.put(result(number))]) == [3, 1]
    assert order.behind(100) == 0
    assert list(order.rest()) == []
