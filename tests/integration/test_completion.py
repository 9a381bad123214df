"""Completion in a real shell, as docs/shell.md has it."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.helpers.programs import run
from tests.helpers.support import ROOT

# What bash does when Tab is pressed at the end of a line.
TAB = """
COMP_WORDS=({line} '')
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_npu_farm_completion npu-farm 2>/dev/null
echo "${{COMPREPLY[@]}}"
"""


def line_of(shell: str) -> str:
    """The line that the documentation gives for a shell."""
    page = (ROOT / "docs" / "shell.md").read_text(encoding="utf-8")
    found = re.search(rf"^\| {shell}\b.*\| `([^`]+)` \|$", page, re.M)
    assert found is not None
    return found[1].replace("\\|", "|")


@pytest.fixture(autouse=True)
def on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell finds `npu-farm`."""
    folder = str(Path(sys.executable).parent)
    monkeypatch.setenv("PATH", folder + os.pathsep + os.environ["PATH"])


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_the_names_of_configs() -> None:
    done = run("bash", "-c", line_of("bash") + TAB.format(line="npu-farm plan"))
    assert done.stderr == ""
    assert {"host", "rk3588"} <= set(done.stdout.split())


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_line_that_makes_its_script(shell: str) -> None:
    (setting,) = re.findall(r"(_NPU_FARM_COMPLETE)=(\w+)", line_of(shell))
    done = run("npu-farm", env={**os.environ, setting[0]: setting[1]})
    assert done.returncode == 0
    assert "_npu_farm_completion" in done.stdout
