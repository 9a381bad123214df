"""The address on which a service listens."""

from __future__ import annotations

import errno
import socket
from typing import Final

from farm.errors import OutputError

# Who takes nothing of what it is sent for so long is cut off: a viewer of events that has stopped
# reading, or whose network is gone. Connections have it from the socket that they come through.
STALLED_MS: Final = 30_000
REASONS: Final = {
    errno.EADDRINUSE: "another program listens there: choose another --port, or 0 for a free one",
    errno.EACCES: "ports below 1024 are for root: choose another --port",
    errno.EADDRNOTAVAIL: "this machine has no such address: choose another --host",
}


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that is bound, and does not listen yet; raises OutputError with the reason.

    With port 0, a free one is taken.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise OutputError(f"--host {host}: no such host: {error}") from error
    family, kind, protocol, _, address = found[0]
    bound = socket.socket(family, kind, protocol)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STALLED_MS)
    try:
        bound.bind(address)
    except OSError as error:
        bound.close()
        why = REASONS.get(error.errno or 0, error.strerror)
        raise OutputError(f"{host}:{port}: {why}") from error
    return bound


def url_of(bound: socket.socket, *, scheme: str) -> str:
    """Return the URL at which a socket of an address of this machine is reached."""
    host, port = bound.getsockname()[:2]
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}:{port}"
