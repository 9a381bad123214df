"""The life of a service: its farm goes up, it serves, it drains, it ends with a code."""

from __future__ import annotations

import socket
import ssl
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from farm.api import Farm
from farm.api.room import Bound
from farm.config.schema import FarmConfig
from farm.errors import EXIT_SIGNAL_BASE, ConfigError, FarmError, InterruptedStartError
from farm.serving import listen
from farm.serving.app import make_app
from farm.serving.limits import Limits
from farm.serving.security import Access
from farm.serving.server import Server, Watched
from farm.serving.service import Service
from farm.system import open_files
from farm.system.certificates import server_context
from farm.system.log import LOG
from farm.system.progress import starting
from farm.system.signals import StartSignals
from farm.watch.viewer import Viewer

OTHER_FILES: Final = 64  # besides connections


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Where a service listens and who may come, under which `name` its model is, what it takes on.

    With a `certfile` (its key in it, or in `keyfile`), it speaks TLS. `root_path` is where a
    reverse proxy has it. Without `thumbnails`, its page shows no pictures of what others send.
    """

    host: str
    port: int
    name: str
    limits: Limits
    access: Access
    certfile: Path | None = None
    keyfile: Path | None = None
    root_path: str = ""
    thumbnails: bool = True


class LeftError(FarmError):
    """A service has ended before all that it had taken in."""


def serve(config: FarmConfig, request: Request) -> int:
    """Serve a farm until a signal comes; return 128 plus the signal.

    Raises OutputError where nobody can listen, ConfigError for a certificate that is none, and what
    a farm raises that can't start, or has lost its workers.
    """
    tls = None
    if request.certfile is not None:
        tls = server_context(request.certfile, request.keyfile)
    make_room(request.limits.connections)
    most = Bound(items=request.limits.queue, bytes=request.limits.held_bytes)
    signals = StartSignals()
    with signals, listen.bind(request.host, request.port) as bound:
        try:
            with Farm(config, signals=signals, starting=starting, bound=most) as farm:
                signals.up = True
                with closing(Viewer(farm.snapshot_address)) as viewer:
                    watched = Watched(signals=signals.received, lost=farm.drive(), viewer=viewer)
                    answer(farm, request, watched, bound, tls)
        except (InterruptedStartError, LeftError) as error:
            LOG.info(str(error))
        return EXIT_SIGNAL_BASE + signals.received[0]


def answer(
    farm: Farm,
    request: Request,
    watched: Watched,
    bound: socket.socket,
    tls: ssl.SSLContext | None,
) -> None:
    """Serve a farm that is up, until a signal comes.

    Raises what the farm raises that can't go on, and LeftError where images are left.
    """
    service = Service(farm, name=request.name, limits=request.limits, thumbnails=request.thumbnails)
    app = make_app(service, request.access)
    server = Server(service, app, watched, tls=tls, root_path=request.root_path)
    server.run([bound])
    if watched.lost.done():
        watched.lost.result()
    if server.left:
        raise LeftError(f"stopped with {server.left} images that were not finished")


def make_room(connections: int) -> None:
    """See to it that so many connections can be open; raises ConfigError if they can't."""
    try:
        open_files.make_room(connections + OTHER_FILES)
    except OSError as error:
        raise ConfigError(
            f"--connections {connections}: this process may not open so many files; "
            "take fewer, or raise its limit (ulimit -n, LimitNOFILE= in a unit)"
        ) from error
