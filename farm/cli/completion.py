"""What a shell completes: names of configs, platforms, words that a key takes, files."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem


def files(_context: click.Context, _param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Let the shell complete the name of a file."""
    return [CompletionItem(typed, type="file")]


def words(_context: click.Context, param: click.Parameter, typed: str) -> list[str]:
    """Complete the words that a flag's key takes."""
    from farm.config.expected import choices

    return [word for word in choices(param.name or "") if word.startswith(typed)]


def socs(_context: click.Context, _param: click.Parameter, typed: str) -> list[str]:
    """Complete the SoCs that models can be converted for."""
    from farm.hardware.platforms import SOCS

    return [soc for soc in SOCS if soc.startswith(typed)]


def bundled(_context: click.Context, _param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Complete the bundled configs' names."""
    from farm.config.bundled import NAMES

    return [CompletionItem(name) for name in NAMES if name.startswith(typed)]


def config(context: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Complete a bundled config's name, if no word is before it, or else a file's."""
    names = [] if context.params.get(param.name or "") else bundled(context, param, typed)
    # bash drops what comes before a file, and completes files only if there is nothing else.
    return [CompletionItem(typed, type="file"), *names]
