"""Messages with open files over a Unix socket, unix(7)."""

from __future__ import annotations

import socket
from array import array
from collections.abc import Sequence
from typing import Final

# As socket.send_fds and recv_fds do it, which ignore the flags that they take.
FLAGS: Final = socket.MSG_NOSIGNAL  # a program may have SIGPIPE end it
CLOSE_ON_EXEC: Final = socket.MSG_CMSG_CLOEXEC


def send(channel: socket.socket, data: bytes, fds: Sequence[int] = ()) -> None:
    """Send a message with these descriptors; raises OSError as socket.sendmsg."""
    rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", fds))
    channel.sendmsg([data], [rights] if fds else [], FLAGS)


def receive(channel: socket.socket, size: int, most: int) -> tuple[bytes, list[int]]:
    """Return the next message, of up to `size` bytes, with up to `most` descriptors.

    Those are close-on-exec. Where this process may open no more files, some are missing. The
    message is empty at the socket's end. Raises OSError as socket.recvmsg.
    """
    fds = array("i")
    room = socket.CMSG_LEN(most * fds.itemsize)
    data, rights, _, _ = channel.recvmsg(size, room, CLOSE_ON_EXEC)
    for level, kind, given in rights:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(given[: len(given) - len(given) % fds.itemsize])
    return data, list(fds)
