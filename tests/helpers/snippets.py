"""The snippets of the documentation: Python, and command lines of this program."""

from __future__ import annotations

import re
import shlex
from typing import Final

import click

from farm.cli.commands import cli

FENCED: Final = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
INDENTED: Final = re.compile(r"(?:^ {4}.*\n)+", re.M)
OURS: Final = re.compile(r"^(?:\S+/)?npu-farm |^python -m farm\.coordinator ")


def python_blocks(text: str) -> list[str]:
    """The Python programs of a page."""
    return [code for language, code in FENCED.findall(text) if language == "python"]


def command_lines(text: str) -> list[str]:
    """The command lines of a page that run this program, whole: `\\` at an end goes on below."""
    shells = [code for language, code in FENCED.findall(text) if language != "python"]
    blocks = [*shells, *INDENTED.findall(FENCED.sub("", text))]
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if OURS.match(line.strip())]


def parse(line: str) -> list[str]:
    """Parse one with the program's own parser, and return its words; click's errors pass through.

    `python -m farm.coordinator` is `npu-farm run`.
    """
    words = shlex.split(line, comments=True)
    words = ["run", *words[3:]] if words[0] == "python" else words[1:]
    context: click.Context = cli.make_context("npu-farm", list(words), help_option_names=["-h"])
    while isinstance(context.command, click.Group):
        rest = [*context._protected_args, *context.args]
        name, found, left = context.command.resolve_command(context, rest)
        assert found is not None
        context = found.make_context(name, left, parent=context)
    return words
