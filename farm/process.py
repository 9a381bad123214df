"""One worker process, its own PUSH socket, its last words, and the pipe that tells of its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

import zmq

import workers
from farm.lastwords import LastWords
from workers import steps
from workers.main import framed
from workers.spec import WorkerSpec
from workers.transport import Context, Outbox
from workers.wire import Batch, Birth, Stop

# As `python -m workers.main`, but a numpy.py in the current folder is not taken for numpy.
BOOT: Final = (
    "import sys; sys.path[:] = filter(None, sys.path); "
    "from workers.main import main; sys.exit(main())"
)
READ_BYTES: Final = 65536
PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
JOIN_SECONDS: Final = 5.0  # SIGKILL takes effect at once, unless the kernel itself hangs


class WorkerProcess:
    """A running worker: `sentinel` becomes readable when it is gone, `output` when it prints.

    `words` is what it printed; `talks` says whether more can come.
    """

    def __init__(self, spec: WorkerSpec, generation: int, context: Context) -> None:
        self.index, self.generation = spec.index, generation
        # An address of its own for each start: what was meant for the last one can't reach this.
        self._spec = replace(spec, inbox=f"{spec.inbox}.{generation}")
        self._context = context
        self._outbox: Outbox | None = None
        self.words = LastWords()
        self.talks = True
        self.sentinel, held_by_child = os.pipe()
        self.output, printed_by_child = os.pipe()
        os.set_blocking(self.output, False)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", BOOT, f"worker-{spec.index}", spec.run_dir],
                stdin=subprocess.PIPE,
                stdout=printed_by_child,  # the vendor's library prints: never our stdout
                stderr=printed_by_child,
                pass_fds=(held_by_child,),
                start_new_session=True,  # Ctrl-C is the coordinator's to handle
                env=_environment(),
            )
        except OSError:
            os.close(self.sentinel)
            os.close(self.output)
            raise
        finally:
            os.close(held_by_child)
            os.close(printed_by_child)
        self._tell_birth()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def send(self, batch: Batch) -> None:
        """Queue a batch on the worker's own socket; never blocks."""
        self._send(batch)

    def ask_to_stop(self) -> None:
        """Let it finish what it holds, then leave."""
        self._send(Stop())

    def terminate(self) -> None:
        """Ask the kernel to end it (SIGTERM); it prints where it was."""
        self._process.terminate()

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        self._process.kill()

    def listen(self) -> bool:
        """Keep what it has printed; False once nothing more can come."""
        try:
            data = os.read(self.output, READ_BYTES)
        except BlockingIOError:
            return True
        self.words.take(data)
        self.talks = bool(data)
        return self.talks

    def memory_mb(self) -> float:
        """The memory that it has for itself alone, in MB; 0 if it is gone."""
        try:
            fields = Path(f"/proc/{self.pid}/statm").read_text().split()
        except OSError:
            return 0.0
        # Its libraries' pages are counted as shared, and are the same for all workers.
        return (int(fields[1]) - int(fields[2])) * PAGE_BYTES / 2**20

    def reap(self) -> str:
        """Collect the process, whose sentinel has spoken; gives how it ended, in words."""
        self._process.kill()  # no more than a formality, unless it closed the sentinel and lives
        code = self._wait()
        while self.listen() and self._waiting_output():
            pass
        self.words.end()
        if code is None:
            return f"its process {self.pid} does not end"
        how = _signal(-code) if code < 0 else f"exit code {code}"
        if self.words.step != steps.WORK:
            how = f"{how} in {self.words.step}"
        # A signal from outside has nothing to do with what was printed last.
        spoke = self.words.last and (code > 0 or -code == signal.SIGABRT)
        return f"{how}: {self.words.last}" if spoke else how

    def close(self) -> None:
        """Release all that the coordinator holds of it; the process must be gone or going."""
        if self._outbox is not None:
            self._outbox.close(flush=False)
        if self._process.stdin is not None:
            self._process.stdin.close()
        os.close(self.sentinel)
        os.close(self.output)

    def _wait(self) -> int | None:
        """Its exit code, minus a signal's number; None if the kernel can't end it."""
        try:
            return self._process.wait(JOIN_SECONDS)
        except subprocess.TimeoutExpired:  # a driver holds it while its device is being closed
            return None

    def _send(self, message: Batch | Stop) -> None:
        # Connected at the first message, when the worker mostly listens already: an earlier
        # attempt would fail and be tried again only 100 ms later.
        if self._outbox is None:
            self._outbox = Outbox(self._context, self._spec.inbox)
        self._outbox.send(message)

    def _tell_birth(self) -> None:
        assert self._process.stdin is not None  # noqa: S101 - PIPE was asked for
        try:
            self._process.stdin.write(framed(Birth(self._spec, self.generation)))
            self._process.stdin.flush()
        except BrokenPipeError:
            return  # it died before it could read; the sentinel tells

    def _waiting_output(self) -> bool:
        poller = zmq.Poller()
        poller.register(self.output, zmq.POLLIN)
        return bool(poller.poll(0))


def _signal(number: int) -> str:
    named = {known.value: known.name for known in signal.Signals}
    return named.get(number, f"signal {number}")


def _environment() -> dict[str, str]:
    """The child's: it finds our packages where this process did."""
    home = str(Path(workers.__file__).parent.parent)
    inherited = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([home, inherited] if inherited else [home])
    return {**os.environ, "PYTHONPATH": path}
