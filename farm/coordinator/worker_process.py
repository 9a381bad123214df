"""One worker process: its PUSH socket, its output, and how it is known to have ended."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Container
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from farm.coordinator.fork_server import DIED, SILENT, Child, ForkServer
from farm.coordinator.worker_output import WorkerOutput
from farm.system.ownership import Owned, hollow, opening
from workers.protocol import startup as steps
from workers.protocol.messages import Batch, Stop, WorkerInit
from workers.protocol.sockets import Context, Outbox
from workers.protocol.spec import WorkerSpec

READ_BYTES: Final = 65536  # what a pipe holds
PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
END_SECONDS: Final = 5.0  # SIGKILL takes effect at once, unless the kernel itself hangs
TELL_SECONDS: Final = 2.0  # for the fork server, to tell how a worker ended


class WorkerProcess(Child, Owned):
    """A worker that was asked for; its `over_at` is infinite while it lives.

    Its end is known by its pidfd or from the fork server: others may hold its pipes. Only where
    neither can tell, the end of its output counts. `log` is what it printed. Raises OSError if the
    system refuses what it takes.
    """

    def __init__(
        self, spec: WorkerSpec, generation: int, context: Context, server: ForkServer
    ) -> None:
        super().__init__()
        self.index, self.generation = spec.index, generation
        # Each start has its own address: messages for the last process can't reach this one.
        self._spec = replace(spec, inbox=f"{spec.inbox}.{generation}")
        self._server = server
        self._gone = False
        self.log = WorkerOutput()
        with opening, ExitStack() as given, ExitStack() as kept:
            read_by_child, self._life_line = os.pipe()
            given.callback(os.close, read_by_child)
            kept.callback(os.close, self._life_line)
            self._output, printed_by_child = os.pipe()
            given.callback(os.close, printed_by_child)
            kept.callback(os.close, self._output)
            self._outbox = Outbox(context, self._spec.inbox)
            kept.callback(self._outbox.close, flush=False)
            os.set_blocking(self._output, False)
            # While it can be read here, too: if nobody could, the write might end this program.
            os.write(self._life_line, steps.pack_init(WorkerInit(self._spec, generation)))
            # The vendor's library prints: never on our own standard output.
            server.fork(self, f"worker-{self.index}", [read_by_child, printed_by_child])
            self._held = kept.pop_all()
            self.own()
        self.watched.append(self._output)

    @property
    def refused(self) -> bool:
        """Whether it was never forked, and never will be."""
        return bool(self.refusal)

    @property
    def stuck(self) -> bool:
        """Whether nothing tells that it has ended."""
        told = self.code is not None or self.refused or self._gone or self.pid is None
        return not told and (self.pidfd is not None or self._talks)

    @property
    def fds(self) -> list[int]:
        """The descriptors held of it, but for its socket's."""
        pidfd = [] if self.pidfd is None else [self.pidfd]
        return [self._life_line, self._output, *pidfd]

    def send(self, message: Batch | Stop) -> None:
        """Queue a message on the worker's own socket; never blocks."""
        self._outbox.send(message)

    def ask_to_stop(self) -> None:
        """Let it finish what it holds, then leave."""
        self.send(Stop())

    def terminate(self) -> None:
        """Ask the kernel to end it (SIGTERM); it prints where it was."""
        self._server.send_signal(self, signal.SIGTERM)

    def kill(self, *, now: float) -> None:
        """End it at once (SIGKILL); it counts as gone within END_SECONDS, whatever becomes of it.

        One that is not forked yet counts as gone now: nothing but the fork server can end it.
        """
        self._server.send_signal(self, signal.SIGKILL)
        self.over_by(now + END_SECONDS if self.pid is not None else now)

    def notice(self, readable: Container[object], *, now: float) -> None:
        """Take in what it has printed, and whether it has ended."""
        if self._output in readable:
            self.listen()
        told_of = self._server.tells_of(self)
        if self.pidfd is None:
            self._gone = self.pid is not None and not self._talks and not told_of
        elif self.pidfd in readable and not self._gone:
            self._gone = True
            self.watched.remove(self.pidfd)
        if self._gone:
            self.over_by(now + TELL_SECONDS if told_of else now)

    @property
    def _talks(self) -> bool:
        return self._output in self.watched

    def listen(self) -> None:
        """Keep what it has printed since the last call."""
        try:
            data = os.read(self._output, READ_BYTES)
        except BlockingIOError:
            return
        self.log.feed(data)
        if not data and self._talks:
            self.watched.remove(self._output)

    def memory_mb(self) -> float:
        """Return the memory in MB that it shares with no other process; 0 if it is gone."""
        try:
            fields = Path(f"/proc/{self.pid}/statm").read_text().split()
        except OSError:
            return 0.0
        if not self._server.send_signal(self, 0):
            return 0.0  # another process has its number now
        # Its libraries' pages are counted as shared, and are the same for all workers.
        return (int(fields[1]) - int(fields[2])) * PAGE_BYTES / 2**20

    def how_it_ended(self) -> str:
        """Return in words how it ended, which is over; takes in what it printed last."""
        self.listen()
        self.log.finish()
        if self.stuck:  # a driver holds it, or a share that does not answer
            return f"its process {self.pid} does not end"
        if self.code is None and self._server.tells_of(self):
            self._server.kill()
            return self.refusal or SILENT
        if self.code is None:
            return self.refusal or DIED
        how = signal_name(-self.code) if self.code < 0 else f"exit code {self.code}"
        if self.log.step != steps.WORK:
            how = f"{how} in {self.log.step}"
        # A signal from outside has nothing to do with what was printed last.
        spoke = self.log.last and (self.code > 0 or -self.code == signal.SIGABRT)
        return f"{how}: {self.log.last}" if spoke else how

    def close(self) -> None:
        """Release all that is held of it, and ask it to leave if it lives."""
        # Also one that a dead server may have forked untold: its pipe must not end without a word.
        if has_reader(self._life_line):
            with suppress(BrokenPipeError):
                os.write(self._life_line, steps.LEAVE)
        self.release()
        self._held.close()
        self.close_pidfd()

    def disown(self) -> None:
        """Let go of its pipes: that their ends close is how it learns of the parent's end."""
        super().disown()
        hollow(*self.fds)


def has_reader(pipe: int) -> bool:
    """Whether anybody can read what is written to `pipe`; if not, a write may end this program."""
    poll = select.poll()
    poll.register(pipe, 0)
    return not poll.poll(0)


def signal_name(number: int) -> str:
    """Return SIGKILL for 9; a number that has no name is named by itself."""
    named = {known.value: known.name for known in signal.Signals}
    return named.get(number, f"signal {number}")
