"""`npu-farm boards`: its flags, what they mean; those that `top --hub` has, too."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from farm.cli.command import command
from farm.cli.extras import CLUSTER, check_packages
from farm.cli.hub_options import ACCESS, HUB, access_of
from farm.cli.options import with_options
from farm.system.progress import sign_of_life
from workers.shell import quoted

if TYPE_CHECKING:  # `--help` is quick without
    from farm.cli.show_hub import Request

FLAGS: Final = dict(zip(ACCESS, ("--token-file", "--creds", "--nkey", "--tlsca"), strict=True))


@command()
@with_options(HUB)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def boards(address: str, as_json: bool, **said: Any) -> None:
    """Show the boards at HUB, and what waits there.

    Rate, NPU load, temperature and model of each board; jobs waiting and in flight by model;
    results that wait for their senders. `npu-farm top --hub HUB` draws it every second.
    """
    check_packages("npu-farm boards", CLUSTER)
    click.get_current_context().with_resource(sign_of_life("looking ..."))
    from farm.cli.show_hub import show

    sys.exit(show(request_of(address, said, once=True, as_json=as_json)))


def request_of(address: str, said: Mapping[str, Any], *, once: bool, as_json: bool) -> Request:
    """Return which hub is shown how; `said` has the flags with which commands get into it."""
    from farm.cli.show_hub import Request

    flags = [f"{flag} {quoted(str(said[each]))}" for each, flag in FLAGS.items() if said[each]]
    line = " ".join(["npu-farm join", quoted(address), *flags, "CONFIG"])  # for another machine
    access = access_of(said, address)
    return Request(access=access, join=line, once=once, as_json=as_json)
