"""Messages about invalid configs: which error is named, with which key and value."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from pydantic import ValidationError
from syrupy.assertion import SnapshotAssertion

from farm.config.messages import EXPECTED, SECTIONS, describe
from farm.config.schema import FarmConfig

HOST = {"platform": "host"}
INVALID = (
    "size: many",
    "size: 4",
    "batch: 2000",
    "decode: quick",
    "model: [1]",
    "images: [a, b]",
    "batch_seconds: 0",
    "start_seconds: .nan",
    "cpu: [4, x]",
    "cpu: 7-4",
    "npu_cores: [3]",
    "platform: rk9999",
    "truth: (",
    "truth: a",
    "simulated: 5",
    "input: {layout: nhwc}",
    "input: {mean: [1, 2]}",
    "input: {std: [0, 1, 1]}",
    "input: {mean: [0, .nan, 1]}",
    "max_worker_mb: 100000000000000000000000",
    "sizee: 3",
    "input: {lay-out: 3}",
    "simulated: {ms: 2}",
)


def described(values: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(ValidationError) as caught:
        FarmConfig.model_validate(values)
    return describe(caught.value)


@pytest.mark.parametrize("text", INVALID)
def test_a_message_starts_with_its_key(text: str) -> None:
    key, message = described({"platform": "rk3588", **yaml.safe_load(text)})
    assert key.partition(".")[0] == text.partition(":")[0]
    assert message.startswith(f"{key}: ")
    assert len(message.splitlines()) == 1


def test_the_messages(snapshot: SnapshotAssertion) -> None:
    values = [{"platform": "rk3588", **yaml.safe_load(text)} for text in INVALID]
    assert [described(each)[1] for each in values] == snapshot


@pytest.mark.parametrize("key", ["batch-size", "constrained-size", "batch[0]"])
def test_an_unknown_key_is_named_whatever_characters_are_in_it(key: str) -> None:
    assert described({**HOST, key: 3})[0] == key


@pytest.mark.parametrize("section", ["", *SECTIONS])
def test_an_unknown_key_is_named_with_those_of_its_section(section: str) -> None:
    known = (SECTIONS[section] if section else FarmConfig).model_fields
    values = {section: {"lay-out": 3}} if section else {"lay-out": 3}
    key, message = described({**HOST, **values})
    assert key == f"{section}.lay-out".strip(".")
    assert ", ".join(sorted(known)) in message


def test_further_errors_are_counted_by_their_keys() -> None:
    _, message = described({**HOST, "size": "x", "batch": "y", "bogus": 1})
    assert "2" in message.splitlines()[1]
    assert "1" in described({**HOST, "size": "x", "batch": "y"})[1].splitlines()[1]


def test_an_unknown_key_comes_before_the_one_that_is_missing() -> None:
    assert described({"platfrom": "host", "size": 0})[0] == "platfrom"


def test_a_missing_platform_is_named() -> None:
    assert described({"size": 3})[0] == "platform"


@pytest.mark.parametrize(("key", "expected"), EXPECTED.items())
def test_a_value_of_another_form_is_told_the_form_it_should_have(key: str, expected: str) -> None:
    section, _, inner = key.rpartition(".")
    wrong: dict[str, Any] = {section: {inner: {}}} if section else {key: {}}
    assert described({**HOST, **wrong}) == (key, f"{key}: {{}}: {expected}")
