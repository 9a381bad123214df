"""Finds the farms that run on this machine."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path
from typing import Final

from workers.main import RUN_DIR_NAME, RUN_DIR_PREFIX

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
                    _knock(folder / SOCKET)
                    found[address_in(str(folder))] = (folder / SOCKET).stat().st_mtime
            except OSError:  # another user's, or nobody listens
                continue
    return sorted(found, key=found.__getitem__)


def address_in(folder: str) -> str:
    """Return the address of the snapshots of the farm with this private folder."""
    return f"ipc://{folder}/{SOCKET}"


def _knock(path: Path) -> None:
    """Raise OSError unless a process listens at `path`."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.connect(str(path))
