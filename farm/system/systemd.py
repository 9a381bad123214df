"""Tells systemd how far a service is: sd_notify(3), for units of `Type=notify`."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import Final

READY: Final = "READY=1"
STOPPING: Final = "STOPPING=1"


def notify(state: str) -> None:
    """Tell a state, if systemd waits for one; where it does not listen, nothing happens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address.startswith("@"):  # stands for the first byte of an address that is no file
        address = f"\0{address[1:]}"
    if address:
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(state.encode(), address)
