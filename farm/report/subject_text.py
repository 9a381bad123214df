"""What was measured, as names and facts: for the table, the page and Markdown."""

from __future__ import annotations

import shlex
from pathlib import PurePath
from typing import Final

from farm.config.yaml_text import dump
from farm.hardware.environment import PACKAGES
from farm.report.data import Report, Subject
from farm.report.format import size_of

VERSIONS: Final = ("Python", *PACKAGES)
DIGEST_DIGITS: Final = 12  # of the SHA-256: enough to tell two files apart


def facts(said: Subject) -> dict[str, str]:
    """Return by name what was measured: the model, if there is one, and the images."""
    size, digest = size_of(said.model_bytes), said.model_sha256[:DIGEST_DIGITS]
    model = f"{PurePath(said.model).name}, {size}, SHA-256 {digest}" if said.model else "none"
    return {"model": model, "images": shlex.join(said.images)}


def all_facts(report: Report) -> dict[str, str]:
    """Return these, and the command line, the config's values, the machine and the versions."""
    config = ", ".join(f"{key}: {dump(value)}" for key, value in report.subject.config.items())
    own = {"command": report.subject.command, "config": config}
    packages = [f"{name} {fact}" for name, fact in report.machine.items() if name in VERSIONS]
    machine = {name: fact for name, fact in report.machine.items() if name not in VERSIONS}
    return {**facts(report.subject), **own, **machine, "versions": ", ".join(packages)}
