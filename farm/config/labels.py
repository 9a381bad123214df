"""The names of a model's classes, and whether they are as many as it has outputs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from farm.config.label_file import read_names
from farm.errors import ConfigError
from farm.system.file_access import refusal

MOST_BYTES: Final = 1 << 24  # names of a million classes
LONGEST_NAME: Final = 1000  # a line of a results file has one for each object


@dataclass(frozen=True, slots=True)
class Labels:
    """The class names in a labels file, in class order."""

    path: Path
    names: tuple[str, ...]

    @classmethod
    def load(cls, path: Path) -> Labels:
        """Read a labels file; raise ConfigError if it can't be read or its names are uncertain."""
        if reason := refusal(path):  # also a pipe, whose reader may wait for ever
            raise ConfigError(f"labels: {path}: can't be read: {reason}")
        try:
            with path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
        except OSError as error:  # it may have changed since
            raise ConfigError(f"labels: {path}: can't be read: {error.strerror}") from error
        if len(data) > MOST_BYTES:
            raise ConfigError(f"labels: {path}: it is larger than {MOST_BYTES} bytes: no labels")
        try:
            names = read_names(data, path.suffix)
            if (longest := max(map(len, names))) > LONGEST_NAME:
                raise ConfigError(f"a name has {longest} characters; use {LONGEST_NAME} at most")
            return cls(path, names)
        except ConfigError as error:
            raise ConfigError(f"labels: {path}: {error}") from error

    def wordnet_numbers(self) -> dict[str, str]:
        """Return the labels of the WordNet numbers (n01440764) that the file has beside its names.

        Raises ConfigError if it can't be read any more.
        """
        try:
            text = self.path.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"labels: {self.path}: can't be read: {error}") from error
        found = re.findall(r"\b(n[0-9]{8})\b[\s,:;\"']+(\S[^\"\r\n]*)", text)
        known = set(self.names)
        return {number: name.strip() for number, name in found if name.strip() in known}

    def check(self, classes: int) -> None:
        """Raise ConfigError unless there is one label for each of a model's `classes` outputs."""
        count = len(self.names)
        if count == classes:
            return
        hint = "set labels to the file that came with the model"
        if {count, classes} == {1000, 1001}:
            hint = 'of ImageNet models, those with 1001 classes have "background" as class 0'
        raise ConfigError(
            f"labels: {self.path}: {count} labels, but the model has {classes} classes; {hint}"
        )
