"""What all commands share: how they end, --log-format, -h."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any, Final

import click

from farm.cli.examples import examples
from farm.errors import EXIT_SOME_FAILED, FarmError
from farm.system import address_space
from farm.system.log import JSON, LOG, TEXT, configure

TYPED: Final = "farm.typed"  # in a context's meta: a command's words as the user typed them


class FarmCommand(click.Command):
    """A command whose FarmErrors become a message and an exit code, never a traceback."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.params.append(
            click.Option(
                ["--log-format"],
                type=click.Choice([TEXT, JSON]),
                default=TEXT,
                show_default=True,
                help="How to write messages to standard error; json: one object a line.",
            )
        )
        self.epilog = examples(self.name or "")

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the words, then parse them."""
        ctx.meta[TYPED] = tuple(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        configure(ctx.params.pop("log_format"))
        try:
            address_space.check()
            return super().invoke(ctx)
        except FarmError as error:
            LOG.error(str(error), extra={"event": "failed"})
            sys.exit(error.exit_code)
        except BrokenPipeError:
            raise  # whoever read our output has gone; click ends quietly
        except OSError as error:
            LOG.error(str(error), extra={"event": "failed"})
            sys.exit(EXIT_SOME_FAILED)
        except MemoryError:
            LOG.error(f"no memory is left{address_space.hint()}", extra={"event": "failed"})
            sys.exit(EXIT_SOME_FAILED)


HELP: Final = {"help_option_names": ["-h", "--help"]}
command: Final = partial(click.command, cls=FarmCommand, context_settings=HELP)
