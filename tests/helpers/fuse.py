"""Files that can be left unread, as on a dead share: in a FUSE mount, without libfuse.

A process that waits for such a file does not end, not even by SIGKILL, until it is answered or the
connection is aborted.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.helpers.fuse_protocol import Op
from tests.helpers.support import ROOT

DEVICE: Final = "/dev/fuse"
READ: Final = (Op.READ,)
WRITE: Final = (Op.WRITE, Op.FSYNC)


@dataclass(frozen=True, slots=True)
class Held:
    """A request that is not answered: the operation, the file's name, the thread that waits."""

    operation: Op
    name: str
    thread: int


class FuseMount:
    """The folder `path`: empty at first, and writable, with files but no folders."""

    def __init__(self, path: Path, server: subprocess.Popen[str]) -> None:
        self.path, self._server = path, server

    def hold(self, *names: str, operations: tuple[Op, ...] = READ) -> None:
        """From now on, leave these operations on these files unanswered."""
        self._command("hold", names, operations)

    def held(self) -> list[Held]:
        """What is not answered now."""
        return self._command("held")

    def answer(self, *names: str) -> None:
        """Answer what is held, and hold nothing further: of these files, or of all."""
        self._command("answer", names)

    def abort(self) -> None:
        """End the connection: what waits gets an error, and so does all that comes later."""
        self._command("abort")

    def _command(self, *words: object) -> list[Held]:
        server = self._server
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(f"{json.dumps(words)}\n")
        server.stdin.flush()
        held = json.loads(server.stdout.readline())
        return [Held(Op(operation), name, thread) for operation, name, thread in held]


def why_not() -> str:
    """Why there can be no FUSE mount here; empty if there can."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            os.close(_mount(folder))
            _libc().umount2(os.fsencode(folder), 0)
    except OSError as error:
        return f"a FUSE mount needs root, and {DEVICE}: {error}"
    return ""


@contextmanager
def fuse_mount() -> Iterator[FuseMount]:
    """Mount an empty folder; at the end, what waits for its files gets an error."""
    with tempfile.TemporaryDirectory() as folder:
        device = _mount(folder)
        try:
            server = subprocess.Popen(
                [sys.executable, "-m", "tests.helpers.fuse_server", str(device), folder],
                cwd=ROOT,
                pass_fds=(device,),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,  # what ends the test's whole group does not end this
            )
        finally:
            os.close(device)  # the connection ends with the server
        with server:
            try:
                yield FuseMount(Path(folder), server)
            finally:
                server.communicate()


def _mount(folder: str) -> int:
    """Mount a folder; return the descriptor of who answers for it."""
    device = os.open(DEVICE, os.O_RDWR | os.O_NONBLOCK)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other"
    names = (b"npu-farm-tests", os.fsencode(folder), b"fuse.npu-farm-tests")
    if _libc().mount(*names, 0, options.encode()) != 0:
        os.close(device)
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return device


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
