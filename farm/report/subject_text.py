"""What was measured, as names and facts: for the table, the page and Markdown."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import PurePath
from typing import Final

from farm.config.yaml_text import dump
from farm.hardware.environment import PACKAGES, RESIZE
from farm.report.format import size_of
from farm.report.subject import Subject

VERSIONS: Final = ("Python", *PACKAGES, RESIZE)
DIGEST_DIGITS: Final = 12  # of the SHA-256: enough to tell two files apart
NAMED: Final = 3  # images, of those that a shell may have listed by the thousand


def file_facts(size: int, digest: str) -> str:
    """Return what tells a model of `size` bytes from others: its size, its SHA-256s' begins.

    What is not known (0, or empty) is left out.
    """
    begins = "+".join(each[:DIGEST_DIGITS] for each in digest.split("+"))
    return ", ".join(
        [*([size_of(size)] if size else []), *([f"SHA-256 {begins}"] if begins else [])]
    )


def facts(said: Subject) -> dict[str, str]:
    """Return by name what was measured: the model, its task, the images, the config.

    Of many images that were named one by one, the first are named.
    """
    file = file_facts(said.model_bytes, said.model_sha256) if said.model else ""
    others = len(said.images) - NAMED
    return {
        "model": ", ".join(filter(None, (PurePath(said.model).name, file))) or "none",
        **({"task": said.task} if said.task else {}),
        "images": shlex.join(said.images[:NAMED]) + (f" and {others} more" if others > 0 else ""),
        "config": said.config_name,
    }


def all_facts(said: Subject, machine: Mapping[str, str]) -> dict[str, str]:
    """Return these, and the command line, the config's values, the machine and the versions."""
    values = ", ".join(f"{key}: {dump(value)}" for key, value in said.config.items())
    own = {"command": said.command, "settings": values}
    others = {name: fact for name, fact in machine.items() if name not in VERSIONS}
    return {**facts(said), **own, **others, "versions": versions(machine)}


def versions(machine: Mapping[str, str]) -> str:
    """Return the versions in the facts of farm.hardware.environment, in a line."""
    return ", ".join(f"{name} {fact}" for name, fact in machine.items() if name in VERSIONS)
