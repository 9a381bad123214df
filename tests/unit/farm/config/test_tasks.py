"""Names and options of tasks, as a config has them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from farm.config.loader import validate
from farm.config.schema import FarmConfig
from farm.config.tasks import PATTERN, check_name, check_options
from farm.errors import ConfigError

GOOD = ("classify", "detect", "mine:count", "my.own.tasks:Count", "größe:f")
BAD = ("", "Classify", "mine", ":f", "mine:", "my mine:f", "mine:f:g", "mine:f.g", "3d:f", "a..b:f")


CIRCLE: dict[str, Any] = {}
CIRCLE["in"] = CIRCLE


@pytest.mark.parametrize("name", GOOD)
def test_a_task_is_known_by_its_name(name: str) -> None:
    check_name(name)
    assert re.search(PATTERN, name)


@pytest.mark.parametrize("name", BAD)
def test_another_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="use classify, detect, or package"):
        check_name(name)
    assert not re.search(PATTERN, name)


def test_a_modules_file_is_no_name_of_it() -> None:
    with pytest.raises(ValueError, match=r"did you mean mine:count\?"):
        check_name("mine.py:count")


def test_no_options_are_those_that_nobody_has_set() -> None:
    said = {"platform": "host", "task": "detect", "task_options": None}
    assert validate(said).task_options == {}


def test_the_nearest_name_is_told() -> None:
    with pytest.raises(ValueError, match=r"did you mean detect\?"):
        check_name("detct")


@pytest.mark.parametrize(
    ("task", "options"),
    [
        ("classify", {}),
        ("detect", {"score": 0.5, "classes": ["bus", 0]}),
        ("mine:f", {"deep": {"list": [1, 2.5, None, "ß", True]}}),
    ],
)
def test_options_are_taken(task: str, options: dict[str, Any]) -> None:
    check_options(task, options)


@pytest.mark.parametrize(
    ("task", "options", "said"),
    [
        ("classify", {"score": 0.5}, "classify has no options"),
        ("detect", {"score": 2}, "score"),
        ("detect", {"scores": 0.5}, "did you mean score"),
        ("mine:f", {"a": float("nan")}, "a: nan is not finite"),
        ("mine:f", {"a": {1, 2}}, "a: a set"),
        ("mine:f", {"a": [b"x"]}, "a: a bytes"),
        ("mine:f", {"names": {0: "cat"}}, "names: 0: put this key in quotes"),
        ("mine:f", {"a": [{"b": {None: 1}}]}, "a: b: None: put this key in quotes"),
        ("mine:f", CIRCLE, "recursion"),
    ],
)
def test_others_are_refused(task: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_options(task, options)


def test_a_config_is_checked_with_its_task() -> None:
    base = {"platform": "host"}
    options = {"score": 0.5}
    assert validate({**base, "task": "detect", "task_options": options}).task_options == options
    for wrong in (
        {"task": "nothing"},
        {"task_options": options},
        {"task": "detect", "truth": "folder"},
    ):
        with pytest.raises(ConfigError):
            validate({**base, **wrong})
    assert FarmConfig.model_validate(base).task == "classify"
