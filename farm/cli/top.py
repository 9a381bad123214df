"""`npu-farm top`: its flags, what they mean."""

from __future__ import annotations

import sys
from typing import Any, Final

import click

from farm.cli.boards import request_of
from farm.cli.command import command
from farm.cli.extras import CLUSTER, check_packages
from farm.cli.hub_options import HUB
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
    click.option("--hub", metavar="HUB", help="Show the boards at this hub, not a farm."),
    *HUB[1:],
)  # fmt: skip


@command()
@with_options(FLAGS)
def top(pid: int | None, once: bool, as_json: bool, hub: str | None, **said: Any) -> None:
    """Watch a running farm, the board alone, or, with --hub, many boards.

    NPU load, rate, latency, workers, temperatures, clocks and warnings, drawn every second.
    """
    if as_json and not once:
        raise click.UsageError("--json goes with --once")
    if hub is None and any(said.values()):
        raise click.UsageError("flags that get into a hub go with --hub")
    if hub is not None and pid is not None:
        raise click.UsageError("--pid or --hub, not both")
    if hub is not None:
        check_packages("npu-farm top --hub", CLUSTER)
    click.get_current_context().with_resource(sign_of_life("looking ..."))
    if hub is not None:
        from farm.cli.show_hub import show as show_hub

        sys.exit(show_hub(request_of(hub, said, once=once, as_json=as_json)))
    from farm.cli.show_farm import Request, show

    sys.exit(show(Request(pid=pid, once=once, as_json=as_json)))
