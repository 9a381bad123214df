"""The names of a model's classes: a file with one a line, in class order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from farm.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Labels:
    """The class names in a labels file, in class order."""

    path: Path
    names: tuple[str, ...]

    @classmethod
    def load(cls, path: Path) -> Labels:
        """Read a labels file; raise ConfigError if it can't be read or is empty."""
        try:
            names = tuple(path.read_text(encoding="utf-8").splitlines())
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ConfigError(f"labels: {path}: can't be read: {reason}") from error
        if not names:
            raise ConfigError(f"labels: {path}: the file is empty")
        return cls(path, names)

    def check(self, classes: int) -> None:
        """Raise ConfigError unless there is one label for each of a model's `classes` outputs."""
        count = len(self.names)
        if count == classes:
            return
        hint = "set labels to the file that came with the model"
        if {count, classes} == {1000, 1001}:
            hint = 'of ImageNet models, those with 1001 outputs have "background" as class 0'
        raise ConfigError(
            f"labels: {self.path}: {count} labels, but the model has {classes} outputs; {hint}"
        )
