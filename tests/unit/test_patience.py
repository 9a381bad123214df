from __future__ import annotations

from farm.patience import FIRST_LIMIT, GENEROSITY, SHORTEST_LIMIT, Patience


def test_a_limit_of_the_config_stays_whatever_comes() -> None:
    patience = Patience(3.0, batch=4)
    patience.learn(100.0, items=1)
    assert patience.limit == 3.0


def test_before_the_first_answer_the_limit_is_generous() -> None:
    assert Patience(None, batch=4).limit == FIRST_LIMIT


def test_quick_answers_leave_the_driver_time_to_give_up_by_itself() -> None:
    patience = Patience(None, batch=4)
    patience.learn(0.01, items=4)
    assert patience.limit == SHORTEST_LIMIT > 6.0


def test_the_slowest_answer_sets_the_limit_for_a_whole_batch() -> None:
    patience = Patience(None, batch=4)
    patience.learn(3.0, items=2)
    patience.learn(1.0, items=4)
    assert patience.limit == GENEROSITY * 1.5 * 4
