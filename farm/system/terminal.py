"""Text for a terminal: escaped, in aligned columns, with commands that the user can paste."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

PROGRAM: Final = "npu-farm"


def printable(text: str) -> str:
    """Escape control characters and bytes that are no text: a terminal would act on them."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shell_command(command: str) -> str:
    """Return a command with the path of `npu-farm` if the user's shell does not find it by name."""
    own = Path(sys.executable).with_name(PROGRAM)
    if not command.startswith(f"{PROGRAM} ") or shutil.which(PROGRAM) or not own.is_file():
        return command
    inside = Path(os.path.relpath(own))
    found = inside if ".." not in inside.parts else own
    return f"{shlex.quote(str(found))}{command.removeprefix(PROGRAM)}"


def columns(
    heads: Sequence[str], rows: Sequence[Sequence[str]], widest: Sequence[str] = ()
) -> list[str]:
    """Return the lines of a table: the first column aligned left, the others right.

    If rows are printed one by one, `widest` are the widest cells to expect.
    """
    widths = [max(map(len, column)) for column in zip(heads, widest or heads, *rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [heads, *rows]
    ]
