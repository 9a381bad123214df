"""`npu-farm config show`: a config's values, and where each comes from."""

from __future__ import annotations

from typing import Final

from farm.config.expected import PROPERTIES, SECTIONS
from farm.config.loader import Settings
from farm.config.yaml_text import Place, dump
from farm.system.terminal import printable

DEFAULT: Final = "default"
WIDEST: Final = 40  # characters of a line before its comment; only paths are longer


def show(settings: Settings) -> list[str]:
    """Return a config as YAML, the origin of each value in a comment: line, flag or default.

    Raises ConfigError with all mistakes, as a run does.
    """
    values = settings.check().model_dump(mode="json")
    lines = []
    for key in PROPERTIES:
        section, _, name = key.rpartition(".")
        if key in SECTIONS:
            lines.append((f"{name}:", ""))
            continue
        origin = settings.origin(key) or DEFAULT
        told = f"line {origin.line}" if isinstance(origin, Place) else origin
        value = values[section][name] if section else values[key]
        lines.append((f"{'  ' if section else ''}{name}: {dump(value)}", f"# {told}"))
    width = max(len(line) for line, _ in lines if len(line) <= WIDEST)
    texts = [f"{line:<{width}}  {origin}".rstrip() for line, origin in lines]
    return [f"# lines are those of {printable(str(settings.path))}", *texts]
