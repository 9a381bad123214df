"""A config's file, and the same text with a tune's choice in it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from farm.config.editor import read_values, set_schema, set_values
from farm.config.loader import PATH_KEYS
from farm.errors import ConfigError
from farm.system.atomic_file import atomic_write
from farm.system.log import LOG, tell_written


@dataclass(frozen=True, slots=True, kw_only=True)
class TunedConfig:
    """A config's file, and the one to write: `output`, or None for the config's own.

    If `writes` is not set and there is no `output`, nothing is written.
    """

    config: Path
    output: Path | None
    writes: bool

    @property
    def target(self) -> Path | None:
        """The file to write: of a link, what it points to."""
        return self.output or (self.config.resolve() if self.writes else None)

    @property
    def flag(self) -> str:
        """What an error calls the file to write."""
        return "CONFIG" if self.output is None else "-o"

    def check(self) -> None:
        """Raise ConfigError or OutputError now for what could not be written in the end."""
        if self.target is not None:
            self.text_with({"size": 1, "decoders": 1, "decoder_cpu": "same"})
            with atomic_write(self.target, self.flag):
                pass

    def text_with(self, values: dict[str, Any]) -> tuple[str, str]:
        """Return the config's text, and the one to write: paths start from a file's own folder."""
        here, there = (each.parent.resolve() for each in (self.config, self.target or self.config))
        try:
            text = self.config.read_bytes().decode()
            moved = {
                key: os.path.relpath(here / value, there)
                for key, value in read_values(text).items()
                if key in PATH_KEYS and isinstance(value, str) and not os.path.isabs(value)
            }
            if here == there:
                return text, set_values(text, values)
            named = set_schema(text, lambda path: os.path.relpath(here / path, there))
            return text, set_values(named, {**moved, **values})
        except ConfigError as error:
            raise ConfigError(f"{self.config}: {error}") from error

    def write(self, values: dict[str, Any]) -> None:
        """Print the lines that change with these values, and write the file."""
        before, after = self.text_with(values)
        old, new = before.splitlines(), after.splitlines()
        for line in [line for line in old if line not in new]:
            print(f"- {line}")
        for line in [line for line in new if line not in old]:
            print(f"+ {line}")
        if self.target is None:
            LOG.info("nothing is written; use -o FILE to write it anyway")
        elif before == after and self.output is None:
            LOG.info(f"{self.config}: these are its values already, as written or by default")
        else:
            with atomic_write(self.target, self.flag) as part:
                part.write_bytes(after.encode())
                if part != self.target:
                    shutil.copymode(self.config, part)
            tell_written(self.output or self.config)
