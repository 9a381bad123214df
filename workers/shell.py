"""Commands that the user can paste, however npu-farm was installed."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

PROGRAM: Final = "npu-farm"
PROJECT: Final = Path(__file__).parents[1]  # where the Makefile is, if this is a clone
REPOSITORY: Final = "https://github.com/npu-farm/npu-farm"
CLONE: Final = f"git clone {REPOSITORY} && make -C {PROGRAM}"


def shell_command(command: str) -> str:
    """Return a command of `npu-farm`, `pip` or `make` so that it does what it says on this machine.

    `npu-farm` has its path if the user's shell does not find it by name, `pip` installs into this
    environment, and `make` works in the project's clone, or makes one. Others stay as they are.
    """
    program, _, rest = command.partition(" ")
    own = Path(sys.executable).with_name(PROGRAM)
    if program == PROGRAM and not shutil.which(PROGRAM) and own.is_file():
        return f"{_path(own)} {rest}"
    if program == "pip":
        python = _path(Path(sys.executable))
        if find_spec("pip") is None:  # as in an environment that uv has made
            return f"uv pip {rest.replace(' ', f' --python {python} ', 1)}"
        return f"{python} -m pip {rest}"
    if program == "make" and not (PROJECT / "Makefile").is_file():
        return f"{CLONE} {rest}"
    if program == "make" and Path.cwd() != PROJECT:
        return f"make -C {_path(PROJECT)} {rest}"
    return command


def reinstall() -> str:
    """Return the command that installs this project again, built anew, for `shell_command`."""
    is_clone = (PROJECT / "Makefile").is_file()
    source = f"-e {shlex.quote(str(PROJECT))}" if is_clone else f"git+{REPOSITORY}"
    return f"pip install --force-reinstall --no-deps {source}"


def _path(path: Path) -> str:
    """Return a path as a shell takes it, relative if it is in the current folder."""
    inside = Path(os.path.relpath(path))
    return shlex.quote(str(path if ".." in inside.parts else inside))
