"""A config file, and what is said beside it, to a FarmConfig."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from farm.config.messages import in_words
from farm.config.schema import FarmConfig
from farm.errors import ConfigError
from farm.system.stdio import STDIN

# What PyYAML raises for some texts: a date that is none, an unknown tag, brackets without end.
NOT_YAML: Final = (yaml.YAMLError, ValueError, AttributeError, RecursionError)
PATH_KEYS: Final = ("model", "images", "labels")


def load(path: Path, overrides: Mapping[str, Any]) -> FarmConfig:
    """Read a config file and lay `overrides` (dotted keys allowed) over it.

    Relative paths in the file are taken from the file's folder; those in `overrides` from the
    current one. Raises ConfigError in one or two lines: file, key, value, what would be right.
    """
    values = _absolute(_read(path), path.parent)
    for key, value in overrides.items():
        _put(values, key, value)
    return checked(values, path, said=frozenset(key.partition(".")[0] for key in overrides))


def checked(
    values: Mapping[str, Any], path: Path | None = None, said: frozenset[str] = frozenset()
) -> FarmConfig:
    """Check a config's values; raises ConfigError, which blames keys in `said` on the flags."""
    try:
        return FarmConfig.model_validate(values)
    except ValidationError as error:
        key, words = in_words(error)
        flag = path is None or key.partition(".")[0] in said
        raise ConfigError(f"{'command line' if flag else path}: {words}") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: can't be read: {getattr(error, 'strerror', error)}") from error
    try:
        values = yaml.safe_load(text)
    except NOT_YAML as error:
        mark = getattr(error, "problem_mark", None)
        at = f":{mark.line + 1}" if mark else ""
        raise ConfigError(f"{path}{at}: not YAML: {getattr(error, 'problem', error)}") from error
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise ConfigError(f"{path}: a config is a list of `key: value` lines")
    return values


def _absolute(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    named = [key for key in PATH_KEYS if isinstance(values.get(key), str) and values[key] != STDIN]
    paths = {key: os.path.normpath(folder / values[key]) for key in named}
    return {**values, **paths}


def _put(values: dict[str, Any], dotted: str, value: Any) -> None:
    *parents, last = dotted.split(".")
    for parent in parents:
        inner = values.get(parent)
        values[parent] = dict(inner) if isinstance(inner, dict) else {}
        values = values[parent]
    values[last] = value
