"""What a run says that a signal has stopped: how far it is, and how to go on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from farm.cli.request import Request
from farm.results.writers import CSV, JSONL
from farm.system.log import LOG
from workers.shell import quoted, shell_command

SECRET: Final = re.compile(r"//[^@/\s]+@")  # a token in a hub's address: not for a log
LONGEST: Final = 2000  # characters of a command that is shown: a shell expands globs to thousands


def tell_stop(signal: int, done: int, total: int | None, again: str | None) -> None:
    """Log that `signal` has stopped the run, how many of how many images are done, what next."""
    images = f"{done} images are done" if total is None else f"{done} of {total} images are done"
    told = {"event": "stopped", "signal": signal, "images": done, "total": total}
    then = "" if again is None or done == total else f"; {again}"
    LOG.warning(f"stopped by a signal: {images}{then}", extra=told)


def how_to_go_on(asked: Request, *, listed: bool) -> str | None:
    """Return the command that goes on with what was asked for, or why there is none.

    None if no results file was made. `listed`: the images came from standard input.
    """
    output = asked.output
    if output is None or not output.is_file():
        return None
    if output.suffix == CSV:
        return f"a {CSV} file can't be resumed; with -o NAME{JSONL} a run can"
    command = resuming(asked.command, asked.typed)
    if len(command) > LONGEST or SECRET.search(command):
        return "to go on: the same command again, with --resume"
    return f"to go on{', with the same list on standard input' if listed else ''}:\n  {command}"


def resuming(name: str, typed: Sequence[str]) -> str:
    """Return the command `name` with these words and --resume, as a shell takes it."""
    end = typed.index("--") if "--" in typed else len(typed)
    flags = [word for word in typed[:end] if word not in {"--resume", "--overwrite"}]
    words = [*flags, "--resume", *typed[end:]]
    return shell_command(f"npu-farm {name} {' '.join(map(quoted, words))}")
