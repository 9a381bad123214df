"""The farm's end of workers.forkserver: asks for workers, learns their pids and exit codes."""

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
from workers.environment import without_opencv_variables
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
    """A process that was asked for; pid and exit code are None until the server reports them."""

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
                self._process = _spawn(run_dir, theirs.fileno(), max_pixels)
        except OSError as error:
            raise StartError(f"no process can be started: {error}") from error

    @property
    def alive(self) -> bool:
        """Whether it can still be asked for workers."""
        return self._process.poll() is None

    def renewed(self) -> ForkServer:
        """Return itself, or a new server if it has died; raises as the constructor."""
        if self.alive:
            return self
        self.close()
        return ForkServer(self._run_dir, self._max_pixels)

    def fork(self, name: str, fds: list[int]) -> Child:
        """Ask for a worker with these descriptors, see workers.forkserver.

        If the server is dead, no process will ever hold them: the caller sees them close.
        """
        child = Child()
        with suppress(ConnectionError):
            socket.send_fds(self._channel, [name.encode("ascii")], fds)
            self._asked.append(child)
        return child

    def pid(self, child: Child) -> int | None:
        """Return the process id of a child; None if the server died before there was one.

        A server that takes longer than FORK_SECONDS to report it is killed.
        """
        while child.pid is None and self._receive(FORK_SECONDS):
            pass
        if child.pid is None:
            self._process.kill()
        return child.pid

    def wait(self, child: Child, seconds: float) -> int | None:
        """Wait up to `seconds` for a child's end; return its exit code, -N for signal N."""
        until = time.monotonic() + seconds
        while child.code is None and self._receive(max(0.0, until - time.monotonic())):
            pass
        return child.code

    def send_signal(self, child: Child, number: signal.Signals) -> None:
        """Send a signal to a child, unless it is known to have ended."""
        pid = self.pid(child)
        if pid is not None and self.wait(child, 0) is None:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def close(self) -> None:
        """End the server; workers that live go on."""
        self._channel.close()
        try:
            self._process.wait(LEAVE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _receive(self, seconds: float) -> bool:
        """Take in the next answer; return False if none comes within so many seconds, or ever."""
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


def _spawn(run_dir: str, channel: int, max_pixels: int) -> subprocess.Popen[bytes]:
    # It finds our packages where this process did.
    home = str(Path(workers.__file__).parent.parent)
    path = os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH")]))
    return subprocess.Popen(
        [sys.executable, "-c", BOOT, run_dir, str(channel)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # it prints nothing; each worker has its own output
        stderr=subprocess.DEVNULL,
        pass_fds=(channel,),
        start_new_session=True,  # Ctrl-C is the coordinator's to handle
        env={
            **without_opencv_variables(),
            "PYTHONPATH": path,
            MAX_PIXELS_VARIABLE: str(max_pixels),
        },
    )
