"""Pydantic's errors about a config as messages for its user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from farm.config.expected import (
    PROPERTIES,
    SECTIONS,
    choices,
    expected,
    keys_of,
    nearest,
    nearest_key,
)
from farm.config.yaml_text import dump

LONGEST_VALUE: Final = 60  # characters


def describe(error: ValidationError, values: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with each invalid key of `values`, in words.

    Keys are dotted: `input.width`.
    """
    found: dict[str, str] = {}
    for each in error.errors():
        place = [str(part) for part in each["loc"]]
        if each["type"] == "extra_forbidden":
            key = ".".join(place)
            found[key] = _unknown(key)
        else:  # a list's item, and the branches of a union, are named below their key
            names = (".".join(place[:depth]) for depth in (2, 1))
            key = next(name for name in names if name in PROPERTIES)
            found.setdefault(key, _invalid(key, each, values))
    return found


def _unknown(key: str) -> str:
    near = nearest_key(key)
    if near is not None:
        return f"unknown key; did you mean {near}?"
    return f"unknown key; known keys: {', '.join(keys_of(key.rpartition('.')[0]))}"


def _invalid(key: str, error: ErrorDetails, values: Mapping[str, Any]) -> str:
    if error["type"] == "missing" and len(error["loc"]) == 1:
        return f"missing; use {expected(key)}"
    value = _as_yaml(_value(key, values))
    if error["type"] == "value_error":  # the schema's own words
        return f"{value}: {error['ctx']['error']}"
    if key in SECTIONS:
        return f"{value}: write its keys below it, indented: {', '.join(keys_of(key))}"
    near = nearest(value, choices(key))
    return f"{value}: use {expected(key)}" + (f"; did you mean {near}?" if near else "")


def _value(key: str, values: Mapping[str, Any]) -> Any:
    value: Any = values
    for name in key.split("."):
        value = value[name]
    return value


def _as_yaml(value: Any) -> str:
    """Return a value as its user has written it, at most LONGEST_VALUE characters."""
    if value is None:
        return "no value"
    try:
        line = dump(value)
    except yaml.YAMLError:  # of a Python program
        line = repr(value)
    except ValueError:  # Python writes no number of more than 4300 digits
        return "a number of thousands of digits"
    return line if len(line) <= LONGEST_VALUE else f"{line[: LONGEST_VALUE - 4]} ..."
