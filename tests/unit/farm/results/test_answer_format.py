"""Which kind of answers a task gives, by its name."""

from __future__ import annotations

import json

import pytest

from farm.results.answer_format import KEYS, format_of
from tests.helpers.results import BUS, HEN, classified, detected, failed, result

TASKS = {"classify": "top5", "detect": "objects", "my.module:task": "output"}


@pytest.mark.parametrize(("task", "key"), TASKS.items())
def test_a_kind_of_task_is_known_by_its_key(task: str, key: str) -> None:
    assert format_of(task).key == key
    assert key in KEYS


@pytest.mark.parametrize("task", TASKS)
def test_with_an_error_a_line_has_the_tasks_keys_without_values(task: str) -> None:
    answers = format_of(task)
    filled = {"classify": classified(HEN), "detect": detected(BUS)}.get(task, result(output=1))
    empty = answers.as_json(failed("missing", "no such file"))
    assert set(empty.values()) == {None}
    assert list(empty) == list(answers.as_json(filled))
    assert json.loads(json.dumps(empty)) == empty


@pytest.mark.parametrize("task", TASKS)
def test_with_an_error_a_table_has_one_row_of_empty_cells(task: str) -> None:
    answers = format_of(task)
    (cells,) = answers.as_cells(failed("missing", "no such file"))
    assert cells == ("",) * len(answers.csv_head)
