"""What a shell completes: commands, configs, platforms, words of flags, files."""

from __future__ import annotations

import pytest
from click.shell_completion import ShellComplete

from farm.cli.commands import cli
from farm.config.bundled import NAMES
from farm.hardware.platforms import SOCS


def completed(line: str) -> list[str]:
    """What is offered for the last word of a line; a file's name is `<file>`."""
    *words, typed = line.split(" ")
    shell = ShellComplete(cli, {}, "npu-farm", "_NPU_FARM_COMPLETE")
    found = shell.get_completions(words[1:], typed)
    return [item.value if item.type == "plain" else f"<{item.type}>" for item in found]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("npu-farm ben", ["bench"]),
        ("npu-farm config ", ["show"]),
        ("npu-farm run ", ["<file>", *NAMES]),
        ("npu-farm run rk356", ["<file>", "rk3568", "rk3566", "rk3562"]),
        ("npu-farm run -q ho", ["<file>", "host"]),
        ("npu-farm run host ", ["<file>"]),
        ("npu-farm run photos/ rk", ["<file>"]),
        ("npu-farm plan rk358", ["<file>", "rk3588", "rk3582"]),
        ("npu-farm config show h", ["<file>", "host"]),
        ("npu-farm init rk358", ["rk3588", "rk3582"]),
        ("npu-farm run -p rk357", ["rk3576"]),
        ("npu-farm run --platform h", ["host"]),
        ("npu-farm convert a.onnx -p ", [*SOCS]),
        ("npu-farm doctor --runtime ", ["auto", "rknn", "onnx", "simulated"]),
        ("npu-farm bench -c f", ["fast"]),
        ("npu-farm run -s a", ["auto"]),
        ("npu-farm run -m ", ["<file>"]),
        ("npu-farm run -d ", ["<file>"]),
        ("npu-farm bench --html ", ["<file>"]),
        ("npu-farm run --log-format ", ["text", "json"]),
        ("npu-farm run --res", ["--resume"]),
    ],
)
def test_the_next_word_is_offered(line: str, offered: list[str]) -> None:
    assert sorted(completed(line)) == sorted(offered)


def test_files_come_before_names_for_bash_drops_what_is_before_a_file() -> None:
    assert completed("npu-farm run h") == ["<file>", "host"]
