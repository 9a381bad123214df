"""What all commands share: how they end, --log-format, -h."""

from __future__ import annotations

import os
import re
import sys
from functools import partial
from typing import Any, Final, NoReturn

import click

from farm.cli.examples import examples
from farm.errors import EXIT_SOME_FAILED, FarmError
from farm.hardware.platforms import HOST, SOCS
from farm.system import address_space
from farm.system.log import JSON, LOG, TEXT, configure, writes_json
from workers.shell import quoted, shell_command

TYPED: Final = "farm.typed"  # in a context's meta: a command's words as the user typed them


class FarmCommand(click.Command):
    """A command with what all have."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.params.append(
            click.Option(
                ["--log-format"],
                type=click.Choice([TEXT, JSON]),
                default=TEXT,
                show_default=True,
                expose_value=False,
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
        address_space.check()
        return super().invoke(ctx)


class FarmGroup(click.Group):
    """Commands. Where a config or images stand for one, the command `usual` is meant."""

    def __init__(self, *args: Any, usual: str, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._usual = usual

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Hide the flag that shows what is shown: all commands shall fit a small terminal."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.hidden = True
        return option

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the first word names; raise UsageError if there is none."""
        word, known = args[0], (HOST, *SOCS)
        named = word in known or os.path.lexists(word) or word.endswith((".yaml", ".yml"))
        if named and self.get_command(ctx, word) is None:
            meant = shell_command(f"{ctx.command_path} {self._usual} {' '.join(map(quoted, args))}")
            ctx.fail(f"{word!r} is no command; did you mean:\n  {meant}")
        return super().resolve_command(ctx, args)


def perform(program: click.Command, name: str | None) -> NoReturn:
    """Run a command line with this process's arguments, and exit.

    What goes wrong becomes a message and an exit code, never a traceback.
    """
    # Before the words are parsed: what is wrong with them is told in that form, too.
    forms = re.findall(r"(?<!\S)--log-format[ =](text|json)(?!\S)", " ".join(sys.argv))
    configure(forms[-1] if forms else TEXT)
    try:
        try:
            code = program.main(prog_name=name, standalone_mode=False)
        finally:
            sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        message, asked = error.format_message(), getattr(error, "ctx", None)
        if asked is not None and not writes_json():
            see = shell_command(f"{asked.command_path} --help")
            message += f"\nall flags and examples:\n  {see}"
        fail(message, error.exit_code)
    except FarmError as error:
        fail(str(error), error.exit_code)
    except OSError as error:
        # Python would try once more to write what is left in the buffer.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # whoever read our output has gone
            sys.exit(EXIT_SOME_FAILED)
        fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except MemoryError:
        fail(f"no memory is left{address_space.hint()}")
    sys.exit(code)


def fail(message: str, exit_code: int = EXIT_SOME_FAILED) -> NoReturn:
    """Tell why the program ends, and end it."""
    LOG.error(message, extra={"event": "failed"})
    sys.exit(exit_code)


HELP: Final = {"help_option_names": ["-h", "--help"]}
command: Final = partial(click.command, cls=FarmCommand, context_settings=HELP)
