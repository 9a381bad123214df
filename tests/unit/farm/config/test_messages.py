"""Messages about invalid configs: all at once, each with key, value and remedy."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from pydantic import ValidationError
from syrupy.assertion import SnapshotAssertion

from farm.config.expected import PROPERTIES, SECTIONS, choices, expected, keys_of
from farm.config.messages import LONGEST_VALUE, describe
from farm.config.schema import FarmConfig

HOST = {"platform": "host"}
INVALID = (
    "size: many",
    "size: 4",
    "batch: 2000",
    "batch:",
    "decode: quick",
    "decode: exct",
    "model: [1]",
    "images: [a, b]",
    "batch_seconds: 0",
    "start_seconds: .nan",
    "strict_affinity: ture",
    "cpu: [4, x]",
    "cpu: 7-4",
    "npu_cores: [3]",
    "platform: rk9999",
    "platform: RK3588S",
    "truth: (",
    "truth: a",
    "truth: 3",
    "max_worker_mb: 0",
    "simulated: 5",
    "input: {layout: nhwc}",
    "input: {mean: [1, 2]}",
    "input: {std: [0, 1, 1]}",
    "input: {mean: [0, .nan, 1]}",
    "max_worker_mb: 100000000000000000000000",
    "sizee: 3",
    "unheard_of: 3",
    "width: 224",
    "input: {lay-out: 3}",
    "input: {normalize: 3}",
    "input: {colour: bgr}",
    "input: {fit: pad}",
    "input: {batch: 3}",
    "simulated: {npu-cores: 2}",
)


def described(values: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ValidationError) as caught:
        FarmConfig.model_validate(values)
    return describe(caught.value, values)


@pytest.mark.parametrize("text", INVALID)
def test_a_mistake_is_one_line_about_its_key_in_our_words(text: str) -> None:
    ((key, said),) = described({"platform": "rk3588", **yaml.safe_load(text)}).items()
    assert key.partition(".")[0] == text.partition(":")[0]
    assert len(said.splitlines()) == 1
    assert not re.search(r"[Ii]nput should|valid (?!reg)|type=|Value error", said)


def test_the_messages(snapshot: SnapshotAssertion) -> None:
    values = {text: {"platform": "rk3588", **yaml.safe_load(text)} for text in INVALID}
    assert {text: described(each) for text, each in values.items()} == snapshot


@pytest.mark.parametrize("key", ["batch-size", "constrained-size", "batch[0]"])
def test_an_unknown_key_is_named_whatever_characters_are_in_it(key: str) -> None:
    assert list(described({**HOST, key: 3})) == [key]


@pytest.mark.parametrize("section", ["", *SECTIONS])
def test_an_unknown_key_like_no_other_is_answered_with_those_of_its_section(section: str) -> None:
    values = {section: {"xyz": 3}} if section else {"xyz": 3}
    ((key, said),) = described({**HOST, **values}).items()
    assert key == f"{section}.xyz".strip(".")
    assert said.partition("known keys: ")[2].split(", ") == keys_of(section)


@pytest.mark.parametrize("key", PROPERTIES)
def test_a_value_of_another_form_is_told_the_form_it_should_have(key: str) -> None:
    section, _, name = key.rpartition(".")
    takes_keys = key in SECTIONS or key == "task_options"
    wrong = set() if takes_keys else {"x": 1}
    values: dict[str, Any] = {section: {name: wrong}} if section else {name: wrong}
    ((named, said),) = described({**HOST, **values}).items()
    assert named == key
    if key in SECTIONS:
        assert ", ".join(keys_of(key)) in said
    else:
        assert said.endswith(f": use {expected(key)}")


@pytest.mark.parametrize("key", [key for key in PROPERTIES if choices(key)])
def test_a_word_with_a_letter_too_many_is_answered_with_the_right_one(key: str) -> None:
    section, _, name = key.rpartition(".")
    for word in choices(key):
        wrong = {name: f"{word[:2]}x{word[2:]}"}
        values: dict[str, Any] = {section: wrong} if section else wrong
        assert described({**HOST, **values})[key].partition("did you mean ")[2] == f"{word}?"


def test_all_mistakes_are_found_at_once_with_those_between_keys() -> None:
    found = described({
        "platfrom": "host", "platform": "rk3588", "size": 4, "npu_cores": [3], "batch": "y",
        "input": {"std": [0, 1, 1], "width": -1, "hight": 3},
    })  # fmt: skip
    assert sorted(found) == [
        "batch", "input.hight", "input.std", "input.width", "npu_cores", "platfrom",
    ]  # fmt: skip
    assert sorted(described({"platform": "rk3588", "size": 4, "batch": 0})) == ["batch", "size"]


@pytest.mark.parametrize("also", [{"platform": "rk9"}, {"npu_cores": "x"}, {"allow_uneven": "x"}])
def test_what_depends_on_an_invalid_key_is_no_mistake(also: dict[str, Any]) -> None:
    assert list(described({"platform": "rk3588", "size": 4, **also})) == list(also)


def test_a_missing_platform_is_named_with_all_there_are() -> None:
    assert described({"size": 3}) == {"platform": f"missing; use {expected('platform')}"}


@pytest.mark.parametrize("value", ["x" * 1000, ["x"] * 1000, {"x": "y" * 1000}])
def test_a_long_value_is_cut(value: Any) -> None:
    said = described({**HOST, "size": value})["size"]
    assert len(said) - len(expected("size")) <= LONGEST_VALUE + 20


def test_values_of_a_program_that_no_yaml_has_are_shown() -> None:
    assert "object" in described({**HOST, "size": object()})["size"]


def test_a_value_that_has_itself_within_it_is_shown() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert list(described({**HOST, "cpu": endless})) == ["cpu"]
