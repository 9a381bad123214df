"""The flags: which numbers they take."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from farm.cli.commands import cli
from farm.errors import ConfigError

NUMBERS = ["1" + "0" * 23, "9" * 5000, "-1", "1.5", "\u0661\u0662x"]


def numeric() -> Iterator[tuple[str, str]]:
    """Give each command and each of its flags that takes whole numbers."""
    for name, command in cli.commands.items():
        for option in command.params:
            if isinstance(option.type, click.types.IntParamType) or option.opts[-1] == "--sizes":
                yield name, option.opts[-1]


def test_some_flags_are_tried_here() -> None:
    assert {("run", "--repeat"), ("bench", "--sizes"), ("render", "--seed")} <= set(numeric())


@pytest.mark.parametrize("number", NUMBERS, ids=range(len(NUMBERS)))
@pytest.mark.parametrize(("command", "flag"), tuple(numeric()))
def test_a_number_out_of_range_is_a_mistake_in_the_command(
    command: str, flag: str, number: str
) -> None:
    done = CliRunner().invoke(cli, [command, flag, number])
    assert done.exit_code == 2
    assert flag in done.output


@pytest.mark.parametrize("number", NUMBERS, ids=range(len(NUMBERS)))
def test_a_size_is_no_such_number(number: str) -> None:
    done = CliRunner().invoke(cli, ["plan", "host", "--size", number])
    assert done.exit_code == 2 or isinstance(done.exception, ConfigError)
    assert "--size" in done.output + str(done.exception)
