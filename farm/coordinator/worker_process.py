"""One worker process: its PUSH socket, its output, and how it is known to have ended."""

from __future__ import annotations

import os
import signal
from collections.abc import Container
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from farm.coordinator.fork_server import DIED, SILENT, ForkServer
from farm.coordinator.worker_output import WorkerOutput
from workers.protocol import startup as steps
from workers.protocol.messages import Batch, Stop, WorkerInit
from workers.protocol.sockets import Context, Outbox
from workers.protocol.spec import WorkerSpec

READ_BYTES: Final = 65536  # what a pipe holds
PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
END_SECONDS: Final = 5.0  # SIGKILL takes effect at once, unless the kernel itself hangs
TELL_SECONDS: Final = 2.0  # for the fork server, to tell how a worker ended


class WorkerProcess:
    """A worker that was asked for; `over_at` is when it counts as gone, infinite while it lives.

    Known by its pidfd, or by the fork server's word: others may hold its pipes. Only where neither
    can come, the end of its output counts. `log` is what it printed. Raises OSError if the system
    refuses what it takes.
    """

    def __init__(
        self, spec: WorkerSpec, generation: int, context: Context, server: ForkServer
    ) -> None:
        self.index, self.generation = spec.index, generation
        # Each start has its own address: messages for the last process can't reach this one.
        self._spec = replace(spec, inbox=f"{spec.inbox}.{generation}")
        self._server = server
        self._gone = False
        self._talks = True
        self.log = WorkerOutput()
        with ExitStack() as given, ExitStack() as kept:
            read_by_child, self._life_line = os.pipe()
            given.callback(os.close, read_by_child)
            kept.callback(os.close, self._life_line)
            self._output, printed_by_child = os.pipe()
            given.callback(os.close, printed_by_child)
            kept.callback(os.close, self._output)
            self._outbox = Outbox(context, self._spec.inbox)
            kept.callback(self._outbox.close, flush=False)
            os.set_blocking(self._output, False)
            # The vendor's library prints: never on our own standard output.
            self._child = server.fork(f"worker-{self.index}", [read_by_child, printed_by_child])
            self._held = kept.pop_all()
        with suppress(BrokenPipeError):  # it died before it could read
            os.write(self._life_line, steps.pack_init(WorkerInit(self._spec, generation)))

    @property
    def pid(self) -> int | None:
        """Its process id; None before it is forked."""
        return self._child.pid

    @property
    def over_at(self) -> float:
        """When it counts as gone, by the clock whose times `notice` and `kill` are given."""
        return self._child.over_at

    @property
    def refused(self) -> bool:
        """Whether it was never forked, and never will be."""
        return bool(self._child.refusal)

    @property
    def stuck(self) -> bool:
        """Whether nothing tells that it has ended."""
        child = self._child
        told = child.code is not None or self.refused or self._gone or child.pid is None
        return not told and (child.pidfd is not None or self._talks)

    @property
    def fds(self) -> list[int]:
        """The descriptors held of it, but for its socket's."""
        return [self._life_line, self._output, *self._child.pidfds]

    @property
    def watched(self) -> list[int]:
        """The descriptors to poll; `notice` when one is readable."""
        output = [self._output] if self._talks else []
        return output if self._gone else [*output, *self._child.pidfds]

    def send(self, message: Batch | Stop) -> None:
        """Queue a message on the worker's own socket; never blocks."""
        self._outbox.send(message)

    def ask_to_stop(self) -> None:
        """Let it finish what it holds, then leave."""
        self.send(Stop())

    def terminate(self) -> None:
        """Ask the kernel to end it (SIGTERM); it prints where it was."""
        self._server.send_signal(self._child, signal.SIGTERM)

    def kill(self, *, now: float) -> None:
        """End it at once (SIGKILL); it counts as gone within END_SECONDS, whatever becomes of it.

        One that is not forked yet counts as gone now: nothing but the fork server can end it.
        """
        self._server.send_signal(self._child, signal.SIGKILL)
        self._child.over_by(now + END_SECONDS if self.pid is not None else now)

    def notice(self, readable: Container[object], *, now: float) -> None:
        """Take in what it has printed, and whether it has ended."""
        if self._output in readable:
            self.listen()
        child, told_of = self._child, self._server.tells_of(self._child)
        if child.pidfd is not None:
            self._gone = self._gone or child.pidfd in readable
        else:
            self._gone = child.pid is not None and not self._talks and not told_of
        if self._gone:
            child.over_by(now + TELL_SECONDS if told_of else now)

    def listen(self) -> None:
        """Keep what it has printed since the last call."""
        try:
            data = os.read(self._output, READ_BYTES)
        except BlockingIOError:
            return
        self.log.feed(data)
        self._talks = bool(data)

    def memory_mb(self) -> float:
        """Return the memory in MB that it shares with no other process; 0 if it is gone."""
        try:
            fields = Path(f"/proc/{self.pid}/statm").read_text().split()
        except OSError:
            return 0.0
        if not self._server.send_signal(self._child, 0):
            return 0.0  # another process has its number now
        # Its libraries' pages are counted as shared, and are the same for all workers.
        return (int(fields[1]) - int(fields[2])) * PAGE_BYTES / 2**20

    def how_it_ended(self) -> str:
        """Return in words how it ended, which is over; takes in what it printed last."""
        self.listen()
        self.log.finish()
        child = self._child
        if self.stuck:  # a driver holds it, or a share that does not answer
            return f"its process {self.pid} does not end"
        if child.code is None and self._server.tells_of(child):
            self._server.kill()
            return child.refusal or SILENT
        if child.code is None:
            return child.refusal or DIED
        how = signal_name(-child.code) if child.code < 0 else f"exit code {child.code}"
        if self.log.step != steps.WORK:
            how = f"{how} in {self.log.step}"
        # A signal from outside has nothing to do with what was printed last.
        spoke = self.log.last and (child.code > 0 or -child.code == signal.SIGABRT)
        return f"{how}: {self.log.last}" if spoke else how

    def close(self) -> None:
        """Release all that is held of it, and ask it to leave if it lives."""
        child = self._child
        if child.code is None and not self.refused and not self._gone:
            with suppress(BrokenPipeError):
                os.write(self._life_line, steps.LEAVE)
        self._held.close()
        child.release()


def signal_name(number: int) -> str:
    """Return SIGKILL for 9; a number that has no name is named by itself."""
    named = {known.value: known.name for known in signal.Signals}
    return named.get(number, f"signal {number}")
