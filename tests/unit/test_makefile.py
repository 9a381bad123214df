"""`make` checks Python first, and makes .venv anew when it no longer fits."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.support import ROOT
from workers.shell import INSTALL_COMPILER

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="no make here")

# A Python that says of itself what FAKE sets. Its environments come quickly: without pip.
PYTHON = f"""#!/bin/sh
case "$1" in
-c) code=$2; shift 2; exec {sys.executable} -c 'import platform, sys; FAKE
exec(sys.argv.pop(1))' "$code" "$@" ;;
-m) {sys.executable} -m venv --without-pip "$3" && echo "#!$PWD/$3/bin/python" > "$3/bin/pip" ;;
esac
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    folder.mkdir()
    shutil.copy(ROOT / "Makefile", folder)
    return folder


def make(
    clone: Path, python: Path | str, target: str = ".venv/pip"
) -> subprocess.CompletedProcess[str]:
    """Run make as a user does, even if `make test` runs this."""
    words = ("make", f"PYTHON={python}", target)
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(words, cwd=clone, capture_output=True, text=True, check=False, env=env)


def python(folder: Path, name: str, fake: str = "") -> Path:
    program = folder / name
    program.write_text(PYTHON.replace("FAKE", fake))
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(
    ("fake", "facts"),
    [
        ("sys.version_info = (3, 9, 2)", ("3.10", "3.9", "PYTHON=")),
        ("sys.version_info = (2, 7, 18)", ("3.10", "2.7", "PYTHON=")),
        ('sys.platform = "darwin"', ("Linux", "darwin")),
        ('sys.modules["ensurepip"] = None', ("venv", "sudo apt install python3.")),
    ],
)
def test_a_python_that_will_not_do_is_refused_in_a_sentence(
    fake: str, facts: tuple[str, ...], clone: Path, tmp_path: Path
) -> None:
    done = make(clone, python(tmp_path, "theirs", fake))
    told = done.stderr.splitlines()
    assert done.returncode != 0
    assert [fact for fact in facts if fact not in told[0]] == []
    assert len(told) == 2  # the other is make's own
    assert not (clone / ".venv").exists()


def test_a_python_that_is_missing_is_said(clone: Path) -> None:
    done = make(clone, "python3.99")
    assert done.returncode != 0
    assert done.stderr.startswith("python3.99: not found; ")
    assert not (clone / ".venv").exists()


@pytest.mark.parametrize(
    ("version", "machine", "said"),
    [("(3, 13)", "aarch64", True), ("(3, 12)", "aarch64", False), ("(3, 13)", "x86_64", False)],
)
def test_on_a_board_a_python_that_the_npu_can_not_use_is_a_note(
    version: str, machine: str, said: bool, clone: Path, tmp_path: Path
) -> None:
    fake = f'sys.version_info = {version}; platform.machine = lambda: "{machine}"'
    done = make(clone, python(tmp_path, "theirs", fake))
    assert done.returncode == 0
    assert ("3.12 or earlier" in done.stdout) is said


def test_the_environment_is_made_anew_for_another_python_or_folder(
    clone: Path, tmp_path: Path
) -> None:
    ours, other = python(tmp_path, "ours"), python(tmp_path, "other", 'sys.version = "3.99"')
    kept = clone / ".venv" / "kept"
    assert make(clone, ours).returncode == 0
    kept.touch()
    assert make(clone, ours).returncode == 0
    assert kept.exists()
    assert make(clone, other).returncode == 0
    assert not kept.exists()
    kept.touch()
    moved = clone.rename(tmp_path / "moved")
    assert make(moved, ours).returncode == 0
    assert not (moved / ".venv" / "kept").exists()
    assert str(moved) in (moved / ".venv" / "bin" / "pip").read_text()


@pytest.mark.parametrize(("compiles", "said"), [("touch", False), ("true", True)])
def test_an_installation_says_its_size_and_without_a_compiler_how_to_get_more(
    compiles: str, said: bool, clone: Path, tmp_path: Path
) -> None:
    library, ours = clone / "workers" / "images" / "libarea.so", python(tmp_path, "ours")
    library.parent.mkdir(parents=True)
    library.write_text("of another machine")
    for name in ("pyproject.toml", "setup.py", "constraints.txt", "workers/images/area.c"):
        (clone / name).touch()
    assert make(clone, ours).returncode == 0
    pip = clone / ".venv" / "bin" / "pip"
    pip.write_text(f"#!/bin/sh\n{compiles} {library}  # {clone}/.venv/\n")
    pip.chmod(0o755)
    first, again = (make(clone, ours, ".venv/run") for _ in range(2))
    assert (first.returncode, again.returncode) == (0, 0)
    assert (INSTALL_COMPILER in first.stdout) is said
    assert "gcc" not in again.stdout
    assert ("150 MB" in first.stdout, "MB" in again.stdout) == (True, False)
    assert library.exists() is not said


def test_the_list_of_targets_fits_80_columns(clone: Path) -> None:
    targets = make(clone, sys.executable, "help").stdout.splitlines()
    assert targets[0].startswith("help ")
    assert [line for line in targets if len(line) > 80] == []
