"""`npu-farm join`: its flags, what they mean."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Any, Final

import click

from farm.cli.command import command
from farm.cli.extras import CLUSTER, check_packages
from farm.cli.hub_options import ACCESS, HUB, access_of
from farm.cli.options import CONFIG, SHARED, with_options
from farm.system.progress import sign_of_life

LONGEST_NAME: Final = 64
OURS: Final = ("name", "board", "by_path")
FLAGS: Final = (
    click.option("--name", metavar="NAME",
                 help="The model's name at the hub; files for several SoCs with one name are one "
                 "model.  [default: its file's, without the SoC]"),
    click.option("--board", metavar="NAME", help="This board's name.  [default: its host's]"),
    click.option("--by-path", type=click.Path(path_type=Path),
                 metavar="DIR",
                 help="Open images below this folder by the paths that `send --by-path` sends."),
)  # fmt: skip


@command()
@with_options(HUB)
@with_options(CONFIG)
@with_options(SHARED)
@with_options(FLAGS)
def join(address: str, config: str | None, **said: Any) -> None:
    """Work for a hub, with the farm that CONFIG describes.

    HUB is its address, as `npu-farm hub` tells it. It takes as much as this board can do, and goes
    on after each loss of the hub. It ends by a signal, after what it holds.
    """
    click.get_current_context().with_resource(sign_of_life("starting ..."))
    check_packages("join", CLUSTER)
    access = access_of({each: said.pop(each) for each in ACCESS}, address)
    flags = {each: said.pop(each) for each in OURS}  # the others change the config
    from farm.cli.words import default_config, load_config
    from farm.cluster.joining import Request
    from farm.cluster.joining import join as join_hub
    from farm.cluster.own_offer import model_name
    from farm.cluster.shared_paths import SharedFolder

    loaded = load_config(config or default_config(said), said)
    request = Request(
        access=access,
        board=checked("--board", flags["board"] or socket.gethostname()),
        model_name=checked("--name", flags["name"] or model_name(loaded)),
        shared=SharedFolder.at(flags["by_path"]) if flags["by_path"] else None,
    )
    sys.exit(join_hub(loaded, request))


def checked(flag: str, name: str) -> str:
    """Return a name; raises UsageError for one that tables and files could not show."""
    if not name.isprintable() or not 0 < len(name) <= LONGEST_NAME:
        raise click.UsageError(f"{flag}: a name has 1 to {LONGEST_NAME} printable characters")
    return name
