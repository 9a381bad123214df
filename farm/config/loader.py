"""Load a config: a YAML file, and values that override it, to a FarmConfig."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from farm.config.messages import describe
from farm.config.schema import FarmConfig
from farm.errors import ConfigError
from farm.system.stdio import STDIN

# What PyYAML raises: apart from its own errors, for an impossible date, an unknown tag, brackets
# without end.
_YAML_ERRORS: Final = (yaml.YAMLError, ValueError, AttributeError, RecursionError)
PATH_KEYS: Final = ("model", "images", "labels")


def load(path: Path, overrides: Mapping[str, Any]) -> FarmConfig:
    """Load a config file and apply `overrides`, whose keys may be dotted: `input.width`.

    Relative paths in the file are taken from the file's folder, those in `overrides` from the
    current one. Raises ConfigError in one or two lines: file, key, value, what would be right.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not a config: it is no UTF-8 text") from error
    values = parse_yaml(text, str(path))
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise ConfigError(f"{path}: invalid config: write `key: value` lines")
    for key in PATH_KEYS:
        if isinstance(values.get(key), str) and values[key] != STDIN:
            values[key] = os.path.normpath(path.parent / values[key])
    for dotted, value in overrides.items():
        *sections, last = dotted.split(".")
        inner = values
        for section in sections:
            found = inner.get(section)
            inner[section] = dict(found) if isinstance(found, dict) else {}
            inner = inner[section]
        inner[last] = value
    return validate(values, path, flags=frozenset(key.partition(".")[0] for key in overrides))


def validate(
    values: Mapping[str, Any], path: Path | None = None, flags: frozenset[str] = frozenset()
) -> FarmConfig:
    """Validate a config's values; raise ConfigError about the first error.

    The error names the command line for keys in `flags` and without a `path`, else the file.
    """
    try:
        return FarmConfig.model_validate(values)
    except ValidationError as error:
        key, message = describe(error)
        flag = path is None or key.partition(".")[0] in flags
        raise ConfigError(f"{'command line' if flag else path}: {message}") from error


def parse_yaml(text: str, name: str) -> Any:
    """Parse YAML; raise ConfigError with `name`, the line and the reason if it is invalid."""
    try:
        return yaml.safe_load(text)
    except _YAML_ERRORS as error:
        mark = getattr(error, "problem_mark", None)
        at = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", error)
        raise ConfigError(f"{name}{at}: invalid YAML: {problem}") from error
