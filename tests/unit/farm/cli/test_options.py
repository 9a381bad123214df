"""The flags: which numbers they take."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from farm.cli.commands import cli
from farm.errors import ConfigError
from workers.shell import shell_command

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


@pytest.mark.parametrize(("command", "hinted"), [("bench", True), ("run", False)])
def test_several_sizes_have_a_flag_of_their_own(command: str, hinted: bool) -> None:
    done = CliRunner().invoke(cli, [command, "-s", "1,3"])
    assert (done.exit_code, "--sizes 1,3" in done.output) == (2, hinted)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (["config", "my farm.yaml", "-s", "2"], "config show 'my farm.yaml' -s 2"),
        (["config", "rk3588"], "config show rk3588"),
        (["farm.yaml"], "run farm.yaml"),
        (["."], "run ."),
        (["rnu"], "run"),
    ],
)
def test_what_stands_for_a_command_is_answered_with_one(said: list[str], meant: str) -> None:
    done = CliRunner().invoke(cli, said, prog_name="npu-farm")
    assert done.exit_code == 2
    assert f"{shell_command('npu-farm')}{meant}" in done.output or f"'{meant}'" in done.output


@pytest.mark.parametrize("width", [80])
def test_the_list_of_commands_fits_a_terminal_of_24_rows_with_the_prompt(width: int) -> None:
    shown = CliRunner().invoke(cli, ["--help"], terminal_width=width).output
    assert len(shown.splitlines()) < 24
    assert "..." not in shown.partition("Commands:")[2]


@pytest.mark.parametrize("number", NUMBERS, ids=range(len(NUMBERS)))
def test_a_size_is_no_such_number(number: str) -> None:
    done = CliRunner().invoke(cli, ["plan", "host", "--size", number])
    assert done.exit_code == 2 or isinstance(done.exception, ConfigError)
    assert "--size" in done.output + str(done.exception)
