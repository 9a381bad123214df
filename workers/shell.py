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
PLAIN: Final = frozenset(range(0x20, 0x7F)) - set(b"'\\")
INSTALL_COMPILER: Final = "sudo apt install gcc libc6-dev"  # the headers are a package of their own


def shell_command(command: str) -> str:
    """Return a command of `npu-farm`, `pip` or `make` so that it does what it says on this machine.

    `npu-farm` is called as it was started, if the user's shell does not find this very program by
    name, `pip` installs into this environment, and `make` works in the project's clone, or makes
    one. Others stay as they are.
    """
    program, _, rest = command.partition(" ")
    if program == PROGRAM:
        return f"{_program()} {rest}"
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


def recompile() -> str:
    """Return the command that installs this project again, with a C compiler."""
    is_clone = (PROJECT / "Makefile").is_file()
    source = f"-e {shlex.quote(str(PROJECT))}" if is_clone else f"git+{REPOSITORY}"
    again = shell_command(f"pip install --force-reinstall --no-deps {source}")
    return f"{INSTALL_COMPILER} && {again}"


def _program() -> str:
    """Return what starts this installation: its name, else what was typed, else its path."""
    own, typed = Path(sys.executable).with_name(PROGRAM), Path(sys.argv[0])
    started = typed if typed.name == PROGRAM and typed.is_file() else own
    found = shutil.which(PROGRAM)
    if not started.is_file() or (found and Path(found).resolve() == started.resolve()):
        return PROGRAM
    return shlex.quote(sys.argv[0]) if started is typed else _path(own)


def _path(path: Path) -> str:
    """Return a path as a shell takes it, relative if it is in the current folder."""
    inside = Path(os.path.relpath(path))
    return shlex.quote(str(path if ".." in inside.parts else inside))


def quoted(word: str) -> str:
    """Return a word as a shell takes it, in characters that a terminal shows as they are."""
    if word.isprintable():
        return shlex.quote(word)
    text = (chr(byte) if byte in PLAIN else f"\\x{byte:02x}" for byte in os.fsencode(word))
    return f"$'{''.join(text)}'"
