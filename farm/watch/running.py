"""Finds the farms that run on this machine."""

from __future__ import annotations

import os
import socket
import struct
import tempfile
from pathlib import Path
from typing import Final

from workers.main import RUN_DIR_NAME, RUN_DIR_PREFIX

IPC: Final = "ipc://"
SOCKET: Final = "snapshots"  # in a farm's private folder
# Where a long $TMPDIR, or another one, has sent it.
USUAL: Final = "/tmp"  # noqa: S108 - it is looked through, and nothing is made in it


def running() -> list[str]:
    """Return the addresses of the snapshots of all living farms that this user may look at.

    Those whose private folder is in the temporary folder, or in /tmp; root sees all users' farms.
    The oldest farm is the first.
    """
    found = {}
    for parent in {os.path.abspath(tempfile.gettempdir()), USUAL}:
        for folder in Path(parent).glob(f"{RUN_DIR_PREFIX}*"):
            try:
                if RUN_DIR_NAME.fullmatch(folder.name):
                    address = address_in(str(folder))
                    process_of(address)
                    found[address] = (folder / SOCKET).stat().st_mtime
            except OSError:  # another user's, or nobody listens
                continue
    return sorted(found, key=found.__getitem__)


def address_in(folder: str) -> str:
    """Return the address of the snapshots of the farm with this private folder."""
    return f"{IPC}{folder}/{SOCKET}"


def process_of(address: str) -> int:
    """Return the number of the process whose farm has this address; raises OSError if it is gone.

    It is 0 of a process that this one can't see, as from inside of a container.
    """
    credentials = struct.Struct("3i")  # struct ucred of unix(7): process, user, group
    with socket.socket(socket.AF_UNIX) as probe:
        probe.connect(address.removeprefix(IPC))
        raw = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, credentials.size)
    return int(credentials.unpack(raw)[0])
