"""A page shows the first results, and of the others what went wrong."""

from __future__ import annotations

import pytest

from farm.pictures import choice
from farm.pictures.choice import Choice
from farm.results.result import Prediction, Result
from tests.helpers.looks import result

TENCH = result("a.jpg", top5=(Prediction(1, "tench", 0.9),))
ERROR = result("b.jpg", error=("missing", "no such file"))


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "FIRST", 3)
    monkeypatch.setattr(choice, "OTHERS", 2)


def taken(*results: tuple[Result, str | None]) -> tuple[list[bool], Choice]:
    made = Choice()
    return [made.takes(each, right) for each, right in results], made


def test_the_first_are_all_shown() -> None:
    shown, made = taken((TENCH, None), (ERROR, None), (TENCH, "tench"))
    assert shown == [True] * 3
    assert made.note() is None


def test_of_the_others_errors_and_wrong_answers_are_shown_up_to_a_limit() -> None:
    late = [(TENCH, None), (TENCH, "tench"), (TENCH, "eel"), (ERROR, None), (ERROR, None)]
    shown, made = taken(*[(TENCH, None)] * 3, *late)
    assert shown == [True] * 3 + [False, False, True, True, False]
    assert (made.seen, made.shown) == (8, 5)
    note = made.note()
    assert note is not None
    assert all(figure in note for figure in ("8 images", "first 3", "the first 2 of 3"))


def test_if_all_errors_are_shown_the_page_says_so() -> None:
    _, made = taken(*[(TENCH, None)] * 4, (ERROR, None))
    assert "all 1 with an error" in (made.note() or "")


def test_an_answer_without_a_class_is_wrong_where_a_label_is_known() -> None:
    nothing = result("a.jpg", top5=())
    assert choice.is_wrong(nothing, "tench")
    assert not choice.is_wrong(nothing, None)
