"""Load a config: a YAML file, and values that override it, to a FarmConfig."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from farm.config.schema import FarmConfig
from farm.config.yaml_text import Place, parse
from farm.errors import ConfigError
from farm.system.stdio import STDIN

PATH_KEYS: Final = ("model", "images", "labels")
SUFFIXES: Final = (".yaml", ".yml")
MOST_MISTAKES: Final = 20  # a file with more is something else
NOWHERE: Final = Place(0, 0)  # before all that stand somewhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A config's values before they are checked, and where each comes from.

    By dotted keys: `places` are those in the file, `overrides` the names of what overrides it, and
    `wrong` what is wrong with keys of the file, whatever their values.
    """

    path: Path
    values: Mapping[str, Any]
    places: Mapping[str, Place]
    overrides: Mapping[str, str]
    wrong: Mapping[Place, str]

    def origin(self, key: str) -> Place | str | None:
        """Return where a key's value comes from: the file, an override; None: it is the default."""
        source = self._source(key)
        if source is None:
            return None
        return self.overrides.get(source) or self.places[source]

    def check(self) -> FarmConfig:
        """Return the config; raise ConfigError with all mistakes, those of the file in its order.

        Each has its place: file, line and column, or the name of the override.
        """
        found = [
            (False, place, f"{self.path}:{place}: {said}") for place, said in self.wrong.items()
        ]
        try:
            config = FarmConfig.model_validate(self.values)
        except ValidationError as error:
            for key, said in mistakes(error, self.values).items():
                origin = self.origin(key)
                place = origin if isinstance(origin, Place) else NOWHERE
                found.append((isinstance(origin, str), place, f"{self._head(key)}: {said}"))
        else:
            if not found:
                return config
        lines = [line for _, _, line in sorted(found)]
        if len(lines) > 1:
            more = (
                [f"(and {len(lines) - MOST_MISTAKES} more)"] if len(lines) > MOST_MISTAKES else []
            )
            lines = [f"{self.path}: {len(lines)} mistakes", *lines[:MOST_MISTAKES], *more]
        raise ConfigError("\n".join(lines))

    def _source(self, key: str) -> str | None:
        """Return the key that says what `key` is: itself, its section, or one within it."""
        within = [name for name in self.overrides if name.startswith(f"{key}.")]
        for name in (*within, key, key.rpartition(".")[0]):
            if name in self.overrides or name in self.places:
                return name
        return None

    def _head(self, key: str) -> str:
        """Return where a mistake is, and its key, unless the override's name says it."""
        origin = self.origin(key)
        if origin is None or isinstance(origin, Place):
            return f"{self.path}:{origin}: {key}" if origin else f"{self.path}: {key}"
        return origin if key in self.overrides else f"{origin}: {key}"


def load(
    path: Path, overrides: Mapping[str, Any], name: Callable[[str], str] = "override {}".format
) -> FarmConfig:
    """Load a config file and apply `overrides`, whose keys may be dotted: `input.width`.

    Relative paths in the file are taken from the file's folder, those in `overrides` from the
    current one. `name` returns what its user calls an override, by its key. Raises ConfigError
    with all mistakes.
    """
    return read(path, overrides, name).check()


def read(path: Path, overrides: Mapping[str, Any], name: Callable[[str], str]) -> Settings:
    """Read the same and check no values; raise ConfigError for a file that is no YAML mapping."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not a config: it is no UTF-8 text") from error
    try:
        document = parse(text, str(path))
        if not isinstance(document.values, dict):
            raise ConfigError(f"{path}: invalid config: write `key: value` lines")
    except ConfigError as error:
        if path.suffix in SUFFIXES:
            raise
        taken = f"{path} was taken for a config; images have suffixes like .jpg, lists .txt"
        raise ConfigError(f"{error}\n{taken}") from error
    values: dict[str, Any] = {
        key: _with_names(value) if isinstance(value, dict) else value
        for key, value in _with_names(document.values).items()
    }
    for key in PATH_KEYS:
        named = values.get(key)
        if isinstance(named, str) and named != STDIN:
            values[key] = os.path.normpath(path.parent / named)
    for dotted, value in overrides.items():
        *sections, last = dotted.split(".")
        inner = values
        for section in sections:
            found = inner.get(section)
            inner[section] = dict(found) if isinstance(found, dict) else {}
            inner = inner[section]
        inner[last] = value
    return Settings(
        path=path,
        values=values,
        places=document.places,
        overrides={key: name(key) for key in overrides},
        wrong=document.wrong,
    )


def validate(values: Mapping[str, Any]) -> FarmConfig:
    """Return the config of these values; raise ConfigError with all mistakes."""
    try:
        return FarmConfig.model_validate(values)
    except ValidationError as error:
        found = mistakes(error, values)
        raise ConfigError("\n".join(f"{key}: {said}" for key, said in found.items())) from error


def mistakes(error: ValidationError, values: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with each invalid key, in words."""
    from farm.config.messages import (
        describe,  # what each key takes, which a valid config never asks
    )

    return describe(error, values)


def _with_names(values: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the values whose keys are names; of the others `Document.wrong` tells."""
    return {key: value for key, value in values.items() if isinstance(key, str)}
