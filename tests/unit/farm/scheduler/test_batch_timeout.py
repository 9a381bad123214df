from __future__ import annotations

from farm.scheduler.batch_timeout import FIRST_LIMIT, GENEROSITY, SHORTEST_LIMIT, BatchTimeout


def test_a_limit_of_the_config_stays_whatever_comes() -> None:
    limit = BatchTimeout(3.0, batch=4)
    limit.learn(100.0, items=1)
    assert limit.seconds == 3.0


def test_before_the_first_answer_the_limit_is_generous() -> None:
    assert BatchTimeout(None, batch=4).seconds == FIRST_LIMIT


def test_quick_answers_leave_the_driver_time_to_give_up_by_itself() -> None:
    limit = BatchTimeout(None, batch=4)
    limit.learn(0.01, items=4)
    assert limit.seconds == SHORTEST_LIMIT > 6.0


def test_the_slowest_answer_sets_the_limit_for_a_whole_batch() -> None:
    limit = BatchTimeout(None, batch=4)
    limit.learn(3.0, items=2)
    limit.learn(1.0, items=4)
    assert limit.seconds == GENEROSITY * 1.5 * 4
