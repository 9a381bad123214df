"""The farm's end of workers.forkserver: asks for workers, hears of their numbers and ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import workers
from farm.errors import StartError
from workers.forkserver import ANSWER, FORKED
from workers.protocol.spec import MAX_PIXELS_VARIABLE

# As `python -m workers.forkserver`, but a numpy.py in the current folder is not taken for numpy.
BOOT: Final = (
    "import sys; sys.path[:] = filter(None, sys.path); "
    "from workers.forkserver import main; sys.exit(main())"
)
FORK_SECONDS: Final = 60.0  # its imports from a slow card, the first time
LEAVE_SECONDS: Final = 5.0


@dataclass(slots=True)
class Child:
    """A process that was asked for; what is None has not been told, see ForkServer."""

    pid: int | None = None
    code: int | None = None


class ForkServer:
    """The process that forks this farm's workers; raises StartError if it can't be started."""

    def __init__(self, run_dir: str, max_pixels: int) -> None:
        self._run_dir, self._max_pixels = run_dir, max_pixels
        self._asked: deque[Child] = deque()  # in the order of the requests
        self._living: dict[int, Child] = {}
        try:
            self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                self._process = _start(run_dir, theirs.fileno(), max_pixels)
        except OSError as error:
            raise StartError(f"no process can be started: {error}") from error

    @property
    def alive(self) -> bool:
        """Whether it can still be asked for workers."""
        return self._process.poll() is None

    def renewed(self) -> ForkServer:
        """Itself, or another in its place if it has died; raises as the constructor."""
        if self.alive:
            return self
        self.close()
        return ForkServer(self._run_dir, self._max_pixels)

    def fork(self, name: str, fds: list[int]) -> Child:
        """Ask for a worker with these descriptors, see workers.forkserver.

        If the server is dead, nobody will ever hold them: the caller sees them close.
        """
        child = Child()
        with suppress(ConnectionError):
            socket.send_fds(self._channel, [name.encode("ascii")], fds)
            self._asked.append(child)
        return child

    def pid(self, child: Child) -> int | None:
        """The process id of a child; None if there is none, for the server died before.

        A server that takes longer than FORK_SECONDS to tell is of no use: it is killed.
        """
        while child.pid is None and self._hear(FORK_SECONDS):
            pass
        if child.pid is None:
            self._process.kill()
        return child.pid

    def wait(self, child: Child, seconds: float) -> int | None:
        """Wait so long for a child's end; gives its exit code, minus a signal's number, or None."""
        until = time.monotonic() + seconds
        while child.code is None and self._hear(max(0.0, until - time.monotonic())):
            pass
        return child.code

    def send_signal(self, child: Child, number: signal.Signals) -> None:
        """Send a signal to a child, unless it is known to have ended."""
        pid = self.pid(child)
        if pid is not None and self.wait(child, 0) is None:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def close(self) -> None:
        """Let the server go; workers that live do not mind."""
        self._channel.close()
        try:
            self._process.wait(LEAVE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _hear(self, seconds: float) -> bool:
        """Take in the next answer; False if none comes within so many seconds, or ever."""
        try:
            self._channel.settimeout(seconds)
            answer = self._channel.recv(ANSWER.size)
        except OSError:  # the time is up, or the server is gone
            return False
        if not answer:
            return False
        kind, pid, code = ANSWER.unpack(answer)
        if kind == FORKED:
            child = self._living[pid] = self._asked.popleft()
            child.pid = pid
        else:
            self._living.pop(pid).code = code
        return True


def _start(run_dir: str, channel: int, max_pixels: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", BOOT, run_dir, str(channel)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # it says nothing; its workers have outputs of their own
        stderr=subprocess.DEVNULL,
        pass_fds=(channel,),
        start_new_session=True,  # Ctrl-C is the coordinator's to handle
        env=_environment(max_pixels),
    )


def _environment(max_pixels: int) -> dict[str, str]:
    """The server's: it finds our packages where this process did."""
    home = str(Path(workers.__file__).parent.parent)
    inherited = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([home, inherited] if inherited else [home])
    return {**os.environ, "PYTHONPATH": path, MAX_PIXELS_VARIABLE: str(max_pixels)}
