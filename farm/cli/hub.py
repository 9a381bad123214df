"""`npu-farm hub`: its flags, what they mean."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Final

import click

from farm.cli.command import command
from farm.cli.extras import CLUSTER, check_packages
from farm.cli.options import with_options

MB: Final = 1 << 20
FLAGS: Final = (
    click.option("--port", type=click.IntRange(1, 65535), metavar="N", default=4222,
                 show_default=True, help="Listen on this port."),
    click.option("--listen", metavar="ADDRESS", default="127.0.0.1", show_default=True,
                 help="And on this address; 0.0.0.0: on all, so that boards can join."),
    click.option("--store", type=click.Path(path_type=Path), metavar="DIR",
                 help="Keep jobs and results here, and the token.  "
                 "[default: ~/.local/share/npu-farm/hub]"),
    click.option("--store-mb", type=click.IntRange(256, 10**8), metavar="N", default=4096,
                 show_default=True,
                 help="Most that it holds; half of it are jobs, and who sends more has to wait."),
    click.option("--ack-seconds", type=click.FloatRange(1, 3600), metavar="SECONDS", default=20,
                 show_default=True,
                 help="Another board gets the jobs of one that says nothing for so long."),
    click.option("--certfile", type=click.Path(path_type=Path), metavar="FILE",
                 help="Speak TLS, with this certificate and the others of its chain (PEM)."),
    click.option("--keyfile", type=click.Path(path_type=Path), metavar="FILE",
                 help="Its private key.  [default: in --certfile]"),
    click.option("--metrics", type=click.IntRange(1, 65535), metavar="PORT",
                 help="Answer Prometheus on this port, at the same address: what the hub holds, "
                 "its boards."),
    click.option("--print-config", is_flag=True,
                 help="Print the config of a NATS server that is such a hub, and start nothing."),
)  # fmt: skip


@command()
@with_options(FLAGS)
def hub(store: Path | None, store_mb: int, print_config: bool, **flags: Any) -> None:
    """Hold the queue between senders and boards.

    It starts the server of NATS, and prints the line with which boards join. On this machine alone,
    unless told otherwise. It ends by a signal; what it holds is there at the next start.
    """
    check_packages("hub", CLUSTER)
    from farm.cluster.hub import Request, serve
    from farm.cluster.hub_store import new_token, read_token
    from farm.cluster.server_config import config_text

    if flags["keyfile"] and not flags["certfile"]:
        raise click.UsageError("--keyfile: name the certificate, too: --certfile")
    request = Request(store=store or default_store(), store_bytes=store_mb * MB, **flags)
    if print_config:
        print(config_text(request.settings(read_token(request.store) or new_token())), end="")
        return
    sys.exit(serve(request))


def default_store() -> Path:
    """Return where a user's hub keeps what it holds."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "npu-farm" / "hub"
