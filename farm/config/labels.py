"""The names of a model's classes: one a line, in class order."""

from __future__ import annotations

from pathlib import Path

from farm.errors import ConfigError


def read(path: Path) -> tuple[str, ...]:
    """Read a labels file; raises ConfigError if it can't be read or is empty."""
    try:
        labels = tuple(path.read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"labels: {path}: can't be read: {reason}") from error
    if not labels:
        raise ConfigError(f"labels: {path}: the file is empty")
    return labels


def check(labels: tuple[str, ...], classes: int, path: Path | None) -> None:
    """Raise ConfigError unless there is one label for each of the model's `classes` outputs."""
    if len(labels) == classes:
        return
    hint = "; give the model's own with --labels"
    if {len(labels), classes} == {1000, 1001}:
        hint = '; of ImageNet models, those with 1001 outputs have "background" as class 0'
    raise ConfigError(
        f"labels: {path}: {len(labels)} labels, but the model has {classes} outputs{hint}"
    )
