"""The command line's entry: it sees to signals before anything that takes time to import."""

from __future__ import annotations

import atexit
import gc
import signal
import sys

from farm.errors import EXIT_NO_FARM


def main(command: str | None = None, name: str | None = None) -> None:
    """Run the command line, or one command under a name of its own, with this process's arguments.

    Until a farm runs, Ctrl-C simply ends the program, unless its parent has it ignored (`cmd &`).
    """
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.platform != "linux":
        print(f"npu-farm runs on Linux only; this is {sys.platform}", file=sys.stderr)
        sys.exit(EXIT_NO_FARM)
    from farm.cli.command import perform
    from farm.cli.commands import cli
    from farm.system import stdio
    from workers.environment import forget_opencv_variables

    stdio.prepare()
    forget_opencv_variables()
    # Of all that is imported nothing is garbage; at its end Python would look for some: 50 ms.
    atexit.register(gc.freeze)
    perform(cli if command is None else cli.commands[command], name)
