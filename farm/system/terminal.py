"""Text made safe for a terminal, our own command as a shell would find it, aligned columns."""

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
    """Escape what a terminal would obey or could not show: control characters, stray bytes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shell_command(command: str) -> str:
    """A command of ours as the user's shell would find it, which may not know this environment."""
    own = Path(sys.executable).with_name(PROGRAM)
    if not command.startswith(f"{PROGRAM} ") or shutil.which(PROGRAM) or not own.is_file():
        return command
    inside = Path(os.path.relpath(own))
    found = inside if ".." not in inside.parts else own
    return f"{shlex.quote(str(found))}{command.removeprefix(PROGRAM)}"


def columns(
    heads: Sequence[str], rows: Sequence[Sequence[str]], widest: Sequence[str] = ()
) -> list[str]:
    """Lay a table out in aligned columns, the first to the left, the rest to the right.

    Where rows come one by one, `widest` are the widest cells there will be.
    """
    widths = [max(map(len, column)) for column in zip(heads, widest or heads, *rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [heads, *rows]
    ]


def say(message: str) -> None:
    """Tell the user something that is no result."""
    print(printable(message), file=sys.stderr, flush=True)
