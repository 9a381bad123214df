"""One worker process: its PUSH socket, its output, and the pipe that ends with it."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from farm.coordinator.fork_server import ForkServer
from farm.coordinator.worker_output import WorkerOutput
from workers.protocol import startup as steps
from workers.protocol.messages import Batch, Stop, WorkerInit
from workers.protocol.sockets import Context, Outbox
from workers.protocol.spec import WorkerSpec
from workers.protocol.startup import pack_init

READ_BYTES: Final = 65536
PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
JOIN_SECONDS: Final = 5.0  # SIGKILL takes effect at once, unless the kernel itself hangs


class WorkerProcess:
    """A running worker: `sentinel` becomes readable when it is gone, `output` when it prints.

    `log` is what it printed; `talks` says whether more can come.
    """

    def __init__(
        self, spec: WorkerSpec, generation: int, context: Context, server: ForkServer
    ) -> None:
        self.index, self.generation = spec.index, generation
        # Each start has its own address: messages for the last process can't reach this one.
        self._spec = replace(spec, inbox=f"{spec.inbox}.{generation}")
        self._context, self._server = context, server
        self._outbox: Outbox | None = None
        self.log = WorkerOutput()
        self.talks = True
        read_by_child, self._life_line = os.pipe()
        self.sentinel, held_by_child = os.pipe()
        self.output, printed_by_child = os.pipe()
        os.set_blocking(self.output, False)
        # The vendor's library prints: never on our own standard output.
        given = [read_by_child, printed_by_child, held_by_child]
        self._child = server.fork(f"worker-{spec.index}", given)
        for fd in given:
            os.close(fd)
        with suppress(BrokenPipeError):  # it died before it could read; the sentinel tells
            os.write(self._life_line, pack_init(WorkerInit(self._spec, generation)))

    @property
    def pid(self) -> int | None:
        """Its process id; None if it never came to be, for the fork server died."""
        return self._server.pid(self._child)

    def send(self, message: Batch | Stop) -> None:
        """Queue a message on the worker's own socket; never blocks."""
        # Connected at the first message, when the worker mostly listens already: an earlier
        # attempt would fail and be tried again only 100 ms later.
        if self._outbox is None:
            self._outbox = Outbox(self._context, self._spec.inbox)
        self._outbox.send(message)

    def ask_to_stop(self) -> None:
        """Let it finish what it holds, then leave."""
        self.send(Stop())

    def terminate(self) -> None:
        """Ask the kernel to end it (SIGTERM); it prints where it was."""
        self._server.send_signal(self._child, signal.SIGTERM)

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        self._server.send_signal(self._child, signal.SIGKILL)

    def listen(self) -> bool:
        """Keep what it has printed since the last call; return whether that was anything."""
        try:
            data = os.read(self.output, READ_BYTES)
        except BlockingIOError:
            return False
        self.log.feed(data)
        self.talks = bool(data)
        return self.talks

    def memory_mb(self) -> float:
        """Return the memory in MB that it shares with no other process; 0 if it is gone."""
        try:
            fields = Path(f"/proc/{self.pid}/statm").read_text().split()
        except OSError:
            return 0.0
        # Its libraries' pages are counted as shared, and are the same for all workers.
        return (int(fields[1]) - int(fields[2])) * PAGE_BYTES / 2**20

    def reap(self) -> str:
        """Collect the process, whose sentinel is readable; return how it ended, in words."""
        self.kill()  # a formality, unless it closed the sentinel and lives
        code = self._server.wait(self._child, JOIN_SECONDS)
        while self.listen():
            pass
        self.log.finish()
        if code is None and not self._server.alive:
            return "the process that all workers are forked from has died"
        if code is None:  # a driver holds it, closing its device
            return f"its process {self.pid} does not end"
        how = signal_name(-code) if code < 0 else f"exit code {code}"
        if self.log.step != steps.WORK:
            how = f"{how} in {self.log.step}"
        # A signal from outside has nothing to do with what was printed last.
        spoke = self.log.last and (code > 0 or -code == signal.SIGABRT)
        return f"{how}: {self.log.last}" if spoke else how

    def close(self) -> None:
        """Release all that the coordinator holds of it; the process must be gone or going."""
        if self._outbox is not None:
            self._outbox.close(flush=False)
        for fd in (self._life_line, self.sentinel, self.output):
            os.close(fd)


def signal_name(number: int) -> str:
    """Return SIGKILL for 9; a number that has no name is named by itself."""
    named = {known.value: known.name for known in signal.Signals}
    return named.get(number, f"signal {number}")
