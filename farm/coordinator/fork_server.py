"""The farm's end of workers.forkserver: asks for workers, learns their pids and exit codes."""

from __future__ import annotations

import math
import os
import signal
import socket
import subprocess
import sys
from collections import deque
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import workers
from farm.system.ownership import Owned, hollow, opening
from farm.system.process_limits import why_no_process
from workers.environment import ONE_HEAP, without_opencv_variables
from workers.forkserver import ANSWER, ENDED, REFUSED
from workers.protocol import descriptors
from workers.protocol.spec import MAX_PIXELS_VARIABLE

# As `python -m workers.forkserver`, but a numpy.py in the current folder is not taken for numpy,
# and our packages are those of this process. What only this process's path has comes last: a folder
# of packages before Python's own modules would replace them by its backports of them.
BOOT: Final = (
    "import sys; sys.path[:] = filter(None, sys.path); home, *more = sys.argv[1:-2]; "
    "home in sys.path or sys.path.insert(0, home); "
    "sys.path += [folder for folder in more if folder not in sys.path]; "
    "from workers.forkserver import main; sys.exit(main())"
)
LEAVE_SECONDS: Final = 5.0  # for the server to end its workers and itself
DIE_SECONDS: Final = 1.0  # from SIGKILL to its end, unless the kernel itself hangs
BUFFER_BYTES: Final = 1 << 20  # holds the requests of the largest farm while the server imports
DIED: Final = "the process that all workers are forked from has died"
SILENT: Final = "the process that all workers are forked from does not answer"
# Not even SIGKILL has ended them. Python warns of processes that are forgotten before they end.
_left: Final[list[subprocess.Popen[bytes]]] = []


@dataclass(eq=False)
class Child:
    """A process that is asked for, as far as it is known.

    It ended with `code` (-N for signal N), or could not be forked because of `refusal`. Its
    `pidfd` becomes readable when it ends; there is none before Linux 5.3. Its user counts it as
    over from `over_at` on, and polls the descriptors `watched`, to which the pidfd is added.
    """

    pid: int | None = None
    pidfd: int | None = None
    code: int | None = None
    refusal: str = ""
    over_at: float = math.inf
    watched: list[int] = field(default_factory=list)
    closed: bool = False

    def over_by(self, at: float) -> None:
        """Let it be over at this time, if not earlier."""
        self.over_at = min(self.over_at, at)

    def close_pidfd(self) -> None:
        """Close its pidfd, also one that comes later."""
        self.closed = True
        if self.pidfd is not None:
            # As process 1 of a container, this one inherits those of a fork server that has died.
            with suppress(ChildProcessError):
                os.waitid(os.P_PIDFD, self.pidfd, os.WEXITED | os.WNOHANG)
            os.close(self.pidfd)
            self.pidfd = None


class ForkServer(Owned):
    """The process that forks this farm's workers: started when needed, and again if it has died.

    Nothing here waits for what it answers; `listen` takes in what has come.
    """

    def __init__(self, run_dir: str, max_pixels: int) -> None:
        self._run_dir, self._max_pixels = run_dir, max_pixels
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None  # None: not started, dead, or given up
        self._asked: deque[Child] = deque()  # in the order of the requests
        self._living: dict[int, Child] = {}
        self.own()

    @property
    def fds(self) -> list[int]:
        """The descriptors held of it; `listen` when one is readable."""
        return [] if self._channel is None else [self._channel.fileno()]

    @property
    def pid(self) -> int | None:
        """Its process id; None if it was never started."""
        return None if self._process is None else self._process.pid

    def fork(self, child: Child, name: str, fds: list[int]) -> None:
        """Ask for a worker with these descriptors, see workers.forkserver; raises OSError."""
        channel = self._started()
        try:
            descriptors.send(channel, name.encode("ascii"), fds)
        except BlockingIOError as error:
            raise TimeoutError(SILENT) from error
        except ConnectionError as error:
            raise ConnectionError(DIED) from error
        self._asked.append(child)

    def listen(self) -> None:
        """Take in what it has answered, and whether it has died."""
        while self._channel is not None:
            try:
                answer, fds = descriptors.receive(self._channel, ANSWER.size, 1)
            except BlockingIOError:
                return
            except ConnectionResetError:  # it has not read all requests; its answers still come
                continue
            if not answer:
                self._lose()
                return
            kind, pid, code = ANSWER.unpack(answer)
            if kind == ENDED:
                child = self._living.pop(pid)
                child.code = code
                child.over_by(0)
            elif kind == REFUSED:
                child = self._asked.popleft()
                child.refusal = why_no_process(OSError(code, os.strerror(code)))
                child.over_by(0)
            else:
                child = self._living[pid] = self._asked.popleft()
                child.pid, child.pidfd = pid, next(iter(fds), None)
                child.watched += fds
                if child.closed:
                    child.close_pidfd()

    def tells_of(self, child: Child) -> bool:
        """Whether it has forked this child and will tell of its end."""
        return child.pid is not None and self._living.get(child.pid) is child

    def send_signal(self, child: Child, number: int) -> bool:
        """Send a signal to a child, and return whether it is there; 0 only asks.

        Never to another process that has its number by now, so to none where nobody knows: without
        a pidfd, when the server that forked it is dead.
        """
        self.listen()
        try:
            if child.pidfd is not None:
                signal.pidfd_send_signal(child.pidfd, number)
            elif child.pid is not None and self.tells_of(child):
                os.kill(child.pid, number)
            else:
                return False
        except ProcessLookupError:
            return False
        except PermissionError:  # this program has dropped root; the fork server has not
            return True
        return True

    def kill(self) -> None:
        """End the server, which is dead or does not do its work; its workers live on."""
        if self._process is not None:
            with suppress(PermissionError):  # as of send_signal
                self._process.kill()
            try:
                self._process.wait(DIE_SECONDS)
            except subprocess.TimeoutExpired:
                _left.append(self._process)
        self.listen()
        self._lose()

    def close(self) -> bool:
        """End the server, which ends its workers; return whether it did within LEAVE_SECONDS."""
        self._lose()
        self.release()
        if self._process is None:
            return True
        try:
            self._process.wait(LEAVE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        return True

    def disown(self) -> None:
        """Let go of the channel: its end must be the parent's."""
        super().disown()
        hollow(*self.fds)

    def _started(self) -> socket.socket:
        if self._channel is not None and self._process is not None and self._process.poll() is None:
            return self._channel
        self.kill()
        with opening, ExitStack() as until_started:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            until_started.enter_context(ours)
            with theirs:
                ours.setblocking(False)
                ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
                self._process = spawn(self._run_dir, theirs.fileno(), self._max_pixels)
            until_started.pop_all()
            self._channel = ours
        return ours

    def _lose(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        for child in self._asked:
            child.refusal = DIED
            child.over_by(0)
        self._asked.clear()
        self._living.clear()


def spawn(run_dir: str, channel: int, max_pixels: int) -> subprocess.Popen[bytes]:
    """Start workers.forkserver with this descriptor as its channel; raises OSError."""
    home = str(Path(workers.__file__).parent.parent)
    return subprocess.Popen(
        [sys.executable, "-c", BOOT, home, *filter(None, sys.path), run_dir, str(channel)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # it prints nothing; each worker has its own output
        stderr=subprocess.DEVNULL,
        pass_fds=(channel,),
        start_new_session=True,  # Ctrl-C is the coordinator's to handle
        env={**ONE_HEAP, **without_opencv_variables(), MAX_PIXELS_VARIABLE: str(max_pixels)},
    )
