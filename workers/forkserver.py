"""The process that workers are forked from: it has imported their libraries, and does nothing else.

So starting a worker costs no imports, and the workers share the libraries' pages. It has one
thread, no ZeroMQ socket and no runtime: nothing that a fork could break. Its workers stay in its
session: where the kernel groups processes by session (sched(7), autogroup), nice values count only
within a group, and one worker's decoders must yield to another's runtime thread.

`python -m workers.forkserver RUN_DIR FD` takes requests on the socket FD. A request is a name and
three descriptors: the worker's standard input, its output, and one to hold open while it runs. The
process exits when the socket ends.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import struct
import sys
import traceback
from contextlib import suppress
from typing import Final, NoReturn

from workers import main as worker
from workers.environment import limit_library_threads

FORKED: Final = 1  # a request is done, in the order of the requests: process id, 0
ENDED: Final = 2  # process id, exit code or minus the signal's number
ANSWER: Final = struct.Struct("=iii")
NAME: Final = "npu-farm-forks"
NAME_BYTES: Final = 15  # what the kernel keeps of a process's name
DESCRIPTORS: Final = 3


def main() -> int:
    """Fork workers until nobody is left to ask for them; return the exit code."""
    run_dir, channel = sys.argv[-2], socket.socket(fileno=int(sys.argv[-1]))
    set_name(NAME)
    import_error = preload()
    signal.signal(signal.SIGCHLD, lambda *_: report_exits(channel))
    while True:
        try:
            name, fds, _, _ = socket.recv_fds(channel, NAME_BYTES, DESCRIPTORS)
        except ConnectionResetError:  # the coordinator is gone, with answers that it has not read
            return 0
        if not name:
            return 0
        # Held back: the coordinator must know a process's number before it hears of its end.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        sys.argv[1:] = [name.decode("ascii"), run_dir]
        pid = os.fork()
        if pid == 0:
            channel.close()
            become_worker(fds, import_error)
        for fd in fds:
            os.close(fd)
        with suppress(ConnectionError):  # nobody is left, as the next turn will show
            channel.send(ANSWER.pack(FORKED, pid, 0))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})


def preload() -> str:
    """Import what every worker needs; return the traceback if that fails, for workers to print."""
    limit_library_threads()
    try:
        import workers.loop  # noqa: F401 - workers find it imported
    except Exception:
        return traceback.format_exc()
    gc.collect()
    gc.freeze()  # a collection in a child would write to the pages that it shares
    return ""


def report_exits(channel: socket.socket) -> None:
    """Reap the workers that have ended, and send how each did."""
    with suppress(ChildProcessError, ConnectionError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            channel.send(ANSWER.pack(ENDED, pid, os.waitstatus_to_exitcode(status)))


def become_worker(fds: list[int], import_error: str) -> NoReturn:
    """Turn this forked process into the worker that `sys.argv` names."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    standard_input, output, _held = fds
    for source, target in ((standard_input, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.close(standard_input)
    os.close(output)
    set_name(sys.argv[1])
    if import_error:
        sys.stderr.write(import_error)
        sys.stderr.flush()
        os._exit(worker.EXIT_CRASHED)
    sys.exit(worker.main())


def set_name(name: str) -> None:
    """Show `name` in process lists: `ps -e`, top."""
    with open("/proc/self/comm", "w", encoding="ascii") as comm:
        comm.write(name)


if __name__ == "__main__":
    sys.exit(main())
