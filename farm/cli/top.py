"""`npu-farm top`: its flags, what they mean."""

from __future__ import annotations

import sys
from typing import Final

import click

from farm.cli.command import command
from farm.cli.options import with_options
from farm.system.progress import sign_of_life

MOST_PIDS: Final = 2**22  # proc(5), pid_max
FLAGS: Final = (
    click.option("--pid", type=click.IntRange(1, MOST_PIDS), metavar="N",
                 help="Show the farm of this process, and end when it does.  [default: the only "
                 "farm; of several, one is asked for]"),
    click.option("--once", is_flag=True, help="Print one picture."),
    click.option("--json", "as_json", is_flag=True,
                 help="With --once: print the snapshot as JSON, for programs."),
)  # fmt: skip


@command()
@with_options(FLAGS)
def top(pid: int | None, once: bool, as_json: bool) -> None:
    """Watch a running farm, or the board alone.

    NPU load, rate, latency, workers, temperatures, clocks and warnings, drawn every second.
    """
    if as_json and not once:
        raise click.UsageError("--json goes with --once")
    click.get_current_context().with_resource(sign_of_life("looking ..."))
    from farm.cli.show_farm import Request, show

    sys.exit(show(Request(pid=pid, once=once, as_json=as_json)))
