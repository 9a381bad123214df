"""Commands that work as they are pasted, however npu-farm was installed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.helpers.programs import run
from workers import shell
from workers.runtimes.base import INSTALL_ONNX, OLDER_PYTHON
from workers.shell import INSTALL_COMPILER, quoted, recompile, shell_command

INSTALL = "pip install --upgrade 'a<2'"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program in an environment that the user's shell does not know; the folder above it."""
    program = tmp_path / "my env" / "bin" / "npu-farm"
    program.parent.mkdir(parents=True)
    program.touch()
    monkeypatch.setattr("sys.executable", str(program.with_name("python3")))
    monkeypatch.setattr("shutil.which", lambda _name: None)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_program_has_its_path_if_the_shell_does_not_find_it(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shell_command("npu-farm plan x.yaml") == "'my env/bin/npu-farm' plan x.yaml"
    (own / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert shell_command("npu-farm plan x.yaml") == f"'{own}/my env/bin/npu-farm' plan x.yaml"
    monkeypatch.setattr("shutil.which", lambda _name: f"{own}/my env/bin/npu-farm")
    assert shell_command("npu-farm plan x.yaml") == "npu-farm plan x.yaml"


def test_another_installation_that_the_shell_finds_is_not_this_program(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = own / "npu-farm"
    other.touch()
    monkeypatch.setattr("shutil.which", lambda _name: str(other))
    assert shell_command("npu-farm plan x.yaml") == "'my env/bin/npu-farm' plan x.yaml"


def test_the_program_is_called_as_it_was_started(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    monkeypatch.setattr("sys.argv", ["../my env/bin/npu-farm", "run"])
    assert shell_command("npu-farm plan x.yaml") == "'../my env/bin/npu-farm' plan x.yaml"
    link = own / "npu-farm"
    link.symlink_to(own / "my env" / "bin" / "npu-farm")
    monkeypatch.setattr("shutil.which", lambda _name: str(link))
    assert shell_command("npu-farm plan x.yaml") == "npu-farm plan x.yaml"


@pytest.mark.usefixtures("own")
def test_packages_are_installed_where_this_python_finds_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shell, "find_spec", lambda _name: object())
    assert shell_command(INSTALL) == f"'my env/bin/python3' -m {INSTALL}"
    monkeypatch.setattr(shell, "find_spec", lambda _name: None)
    assert shell_command(INSTALL_ONNX) == "uv pip install --python 'my env/bin/python3' onnxruntime"


def test_make_runs_in_the_clone_or_in_a_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = tmp_path / "clone"
    clone.mkdir()
    monkeypatch.setattr(shell, "PROJECT", clone)
    monkeypatch.chdir(tmp_path)
    assert shell_command(OLDER_PYTHON) == f"{shell.CLONE} {OLDER_PYTHON.removeprefix('make ')}"
    (clone / "Makefile").touch()
    assert shell_command("make converter") == "make -C clone converter"
    monkeypatch.chdir(clone)
    assert shell_command("make converter") == "make converter"


def test_other_commands_stay_as_they_are() -> None:
    assert shell_command("sudo reboot") == "sudo reboot"


def test_what_is_installed_again_is_the_clone_or_what_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell, "PROJECT", tmp_path / "my clone")
    assert recompile().startswith(f"{INSTALL_COMPILER} && {shell_command('pip install ')}")
    assert recompile().endswith(f" git+{shell.REPOSITORY}")
    (tmp_path / "my clone").mkdir()
    (tmp_path / "my clone" / "Makefile").touch()
    assert recompile().endswith(f" -e '{tmp_path}/my clone'")


@pytest.mark.parametrize("name", [b"a\nb", b"\xff.jpg", "ä 猫".encode(), b"it's\t\\x41"])
def test_a_shell_reads_every_name_as_it_was_typed(name: bytes) -> None:
    word = quoted(os.fsdecode(name))
    assert word.isprintable()
    done = run("/bin/bash", "-c", f"printf %s {word}", errors="surrogateescape")
    assert os.fsencode(done.stdout) == name
