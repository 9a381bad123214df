"""The process that workers are forked from: it has imported their libraries, and does nothing else.

So starting a worker costs no imports, and the workers share the libraries' pages. It has one
thread, no ZeroMQ socket and no runtime: nothing that a fork could break. Its workers stay in its
session: where the kernel groups processes by session (sched(7), autogroup), nice values count only
within a group, and one worker's decoders must yield to another's runtime thread.

`python -m workers.forkserver RUN_DIR FD` takes requests on the socket FD. A request is a name and
two descriptors: the worker's standard input and its output. When the socket ends, the coordinator
is gone: the process kills its workers, removes the run's folder and exits.
"""

from __future__ import annotations

import errno
import gc
import os
import select
import signal
import socket
import struct
import sys
import time
import traceback
from contextlib import suppress
from typing import Final, NoReturn

from workers import main as worker
from workers.environment import limit_library_threads
from workers.protocol import descriptors

# The answers. Requests are answered in their order.
FORKED: Final = 1  # process id, 0; with a pidfd, pidfd_open(2), where the kernel has them
REFUSED: Final = 2  # 0, errno
ENDED: Final = 3  # process id, exit code or minus the signal's number
ANSWER: Final = struct.Struct("=iii")
NAME: Final = "npu-farm-forks"
NAME_BYTES: Final = 15  # what the kernel keeps of a process's name
DESCRIPTORS: Final = 2
EXIT_NOT_IMPORTED: Final = 1
WAKE_UPS: Final = 4096  # bytes, one for each signal
END_SECONDS: Final = 2.0  # for killed workers to be gone: one may be stuck in a driver


def main() -> int:
    """Fork workers until nobody is left to ask for them; return the exit code."""
    run_dir, channel = sys.argv[-2], socket.socket(fileno=int(sys.argv[-1]))
    children: set[int] = set()
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # the coordinator may block some
    set_name(NAME)
    import_error = preload()
    ends = wake_up_at_ends()
    with suppress(ConnectionResetError):  # the coordinator is gone, with answers it has not read
        while True:
            readable, _, _ = select.select([channel, ends], [], [])
            if ends in readable:
                report_ends(channel, children, ends)
            if channel not in readable:
                continue
            name, fds = descriptors.receive(channel, NAME_BYTES, DESCRIPTORS)
            if not name:
                break
            sys.argv[1:] = [name.decode("ascii"), run_dir]
            try:
                pid = fork((channel, ends), fds, import_error)
            except OSError as error:
                send(channel, REFUSED, 0, error.errno or 0)
            else:
                children.add(pid)
                send(channel, FORKED, pid, 0, pidfd_of(pid))
            for fd in fds:
                os.close(fd)
            # What could not be imported may be there for the next server: memory, a disk.
            if import_error and not select.select([channel], [], [], 0)[0]:
                await_ends(channel, children, ends)
                return EXIT_NOT_IMPORTED
    for pid in children:  # not reaped, so none of their numbers is another process's
        os.kill(pid, signal.SIGKILL)
    await_ends(channel, children, ends)
    worker.clean_up(run_dir)
    return 0


def wake_up_at_ends() -> socket.socket:
    """Return a socket that is readable after a child has ended.

    Nothing is done in a signal's handler: in the midst of one, Python may call it again.
    """
    ends, wakes = socket.socketpair()
    for each in (ends, wakes):
        each.setblocking(False)
    signal.set_wakeup_fd(wakes.detach(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return ends


def preload() -> str:
    """Import what every worker needs; return the traceback if that fails, for workers to print."""
    limit_library_threads()
    gc.disable()  # what is imported stays: looking for garbage in it takes 10 ms
    try:
        import workers.loop  # noqa: F401 - workers find it imported
    except Exception:
        return traceback.format_exc()
    gc.collect()
    gc.enable()
    gc.freeze()  # a collection in a child would write to the pages that it shares
    return ""


def fork(private: tuple[socket.socket, ...], fds: list[int], import_error: str) -> int:
    """Fork the worker that `sys.argv` names, without our `private` sockets; return its process id.

    Raises OSError.
    """
    if len(fds) < DESCRIPTORS:
        raise OSError(errno.EMFILE, "the worker's descriptors could not be received")
    pid = os.fork()
    if pid == 0:
        for each in private:
            each.close()
        become_worker(fds, import_error)
    return pid


def pidfd_of(pid: int) -> int | None:
    """Return a pidfd of a child that is not reaped; None before Linux 5.3, or without room."""
    try:
        return os.pidfd_open(pid)
    except (OSError, AttributeError):  # Python may have been built for older kernels
        return None


def send(channel: socket.socket, kind: int, pid: int, code: int, pidfd: int | None = None) -> None:
    """Send an answer, with a pidfd if there is one, and close that."""
    message, given = ANSWER.pack(kind, pid, code), [] if pidfd is None else [pidfd]
    with suppress(ConnectionError):  # nobody is left, as the next turn of the loop will show
        try:
            descriptors.send(channel, message, given)
        except OSError:  # too many descriptors of this user are under way (ETOOMANYREFS)
            descriptors.send(channel, message)
    for fd in given:
        os.close(fd)


def report_ends(channel: socket.socket, children: set[int], ends: socket.socket) -> None:
    """Reap the workers that have ended, and send how each did; end what they have started."""
    with suppress(BlockingIOError):
        ends.recv(WAKE_UPS)
    while children:
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None:
            return
        pid = ended.si_pid
        # Before it is reaped: until then, its number can't be another group's.
        with suppress(OSError):
            os.killpg(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        children.discard(pid)
        send(channel, ENDED, pid, os.waitstatus_to_exitcode(status))


def await_ends(channel: socket.socket, children: set[int], ends: socket.socket) -> None:
    """Wait until the workers are gone, END_SECONDS at most."""
    until = time.monotonic() + END_SECONDS
    report_ends(channel, children, ends)
    while children and (left := until - time.monotonic()) > 0:
        select.select([ends], [], [], left)
        report_ends(channel, children, ends)


def become_worker(fds: list[int], import_error: str) -> NoReturn:
    """Turn this forked process into the worker that `sys.argv` names."""
    os.setpgid(0, 0)  # with all that a task of the user's starts, which ends with it
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.close(signal.set_wakeup_fd(-1))
    standard_input, output = fds
    for source, target in ((standard_input, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.close(standard_input)
    os.close(output)
    set_name(sys.argv[1])
    if import_error:
        sys.stderr.write(import_error)
        sys.stderr.flush()
        os._exit(worker.EXIT_CRASHED)
    code = worker.main()
    sys.stdout.flush()
    sys.stderr.flush()
    # All is closed. Python's own end would take apart what the processes share: 10 ms of each.
    os._exit(code)


def set_name(name: str) -> None:
    """Show `name` in process lists (`ps -e`, top), where /proc can be written to."""
    with suppress(OSError), open("/proc/self/comm", "w", encoding="ascii") as comm:
        comm.write(name)


if __name__ == "__main__":
    sys.exit(main())
