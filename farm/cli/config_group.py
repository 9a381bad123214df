"""`npu-farm config`: the commands about a config itself."""

from __future__ import annotations

from typing import Any

import click

from farm.cli.command import HELP, FarmCommand, FarmGroup
from farm.cli.examples import examples
from farm.cli.options import CONFIG, SHARED, with_options


@click.group(cls=FarmGroup, usual="show", context_settings=HELP, epilog=examples("config"))
def config() -> None:
    """Show what a config says."""


@config.command(cls=FarmCommand)
@with_options(CONFIG)
@with_options(SHARED)
def show(config: str | None, **said: Any) -> None:
    """Print all values of CONFIG, and where each comes from.

    From the file and line, a flag, or the default. The output is a config, too.
    """
    from farm.cli.config_show import show as show_values
    from farm.cli.words import default_config, read_config

    print("\n".join(show_values(read_config(config or default_config(said), said))))
