"""The JSON schema that editors use: current, named by every config, as strict as the program."""

from __future__ import annotations

import json
import re
from typing import Any

import fastjsonschema
import pytest
import yaml
from pydantic import BaseModel, ValidationError

from farm.config.bundled import NAMES, SCHEMA_FILE, find_config
from farm.config.json_schema import explanations, text
from farm.config.schema import FarmConfig, InputConfig, SimulatedConfig

VALIDATE = fastjsonschema.compile(json.loads(text()))


def is_valid(values: dict[str, Any]) -> bool:
    try:
        VALIDATE(values)
    except fastjsonschema.JsonSchemaException:
        return False
    return True


def test_the_schema_in_the_tree_is_current() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == text(), "make schema writes it"


@pytest.mark.parametrize("name", NAMES)
def test_every_bundled_config_names_it_and_is_valid(name: str) -> None:
    path = find_config(name)
    written = path.read_text(encoding="utf-8")
    named = re.findall(r"^# yaml-language-server: \$schema=(\S+)$", written, re.M)
    assert [(path.parent / each).resolve() for each in named] == [SCHEMA_FILE.resolve()]
    assert is_valid(yaml.safe_load(written))


@pytest.mark.parametrize("model", [FarmConfig, InputConfig, SimulatedConfig])
def test_every_key_is_explained(model: type[BaseModel]) -> None:
    explained = explanations(model)
    assert list(explained) == list(model.model_fields)
    assert all(said.endswith(".") for said in explained.values())


def test_no_key_has_a_title() -> None:
    assert "title" not in json.loads(text())["properties"]["size"]


@pytest.mark.parametrize(
    "line",
    [
        "size: auto", "size: 3", "size: many", "size: 0", "size: 2.5", "size: true", "size:",
        "cpu: fast", "cpu: 4-7", "cpu: [4, 5]", "cpu: 4", "cpu: medium", "cpu: 4-", "cpu: []",
        "npu_cores: all", "npu_cores: 0-1", "npu_cores: [-1]",
        "decode: exact", "decode: exct", "platform: rk3576", "platform: rk9999",
        "batch: 8", "batch: 2000", "batch_seconds: auto", "batch_seconds: 0", "drain_seconds: 3",
        "model: a.onnx", "model: [1]", "truth: null", "sizee: 3", "allow_uneven: ture",
        "input: {width: 3}", "input: {widht: 3}", "input: 5", "input: {mean: [1, 2]}",
        "input: {layout: nhwc}", "simulated: {seed: 3}", "simulated: {classes: 1}",
    ],
)  # fmt: skip
def test_it_accepts_what_the_program_accepts(line: str) -> None:
    values = {"platform": "rk3588", **yaml.safe_load(line)}
    try:
        FarmConfig.model_validate(values)
    except ValidationError:
        accepted = False
    else:
        accepted = True
    assert is_valid(values) is accepted


def test_a_platform_is_needed() -> None:
    assert not is_valid({"size": 3})
