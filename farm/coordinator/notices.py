"""What a user is told of the workers: a log record for each thing, and each thing once."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterable
from contextlib import ExitStack
from types import TracebackType
from typing import Final

from farm.hardware.known_errors import explain
from farm.hardware.platforms import detect
from farm.system.deferred_handlers import Paused
from farm.system.encodings import utf8
from farm.watch.snapshot import Told
from workers.runtimes.base import RKNN
from workers.shell import shell_command

KEPT: Final = 5


class Notices:
    """Log records about workers that run models with `runtime`; they wait for the end of a step.

    Each has the field `event`, and `worker` or `npu_core` where it is about one. They are logged
    on leaving a `with` block of this: the program's log handlers may raise.
    """

    def __init__(self, log: logging.Logger, runtime: str) -> None:
        self._log = log
        self._runtime = runtime
        self._first_with: dict[str, int] = {}  # the worker whose start failed so first
        self._left_out: set[int] = set()
        self._explained: set[str] = set()
        self._waiting: list[tuple[str, dict[str, str | int]]] = []
        self.last: deque[Told] = deque(maxlen=KEPT)  # to show them later, too

    def __enter__(self) -> None:
        """Begin a step."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._waiting:
            # Each is logged once, whatever the others raise; the last error comes out.
            with Paused(), ExitStack() as each:
                while self._waiting:
                    each.callback(self._log_now, *self._waiting.pop())

    def start_failed(self, worker: int, reason: str) -> None:
        """Tell that a worker could not start, and will not be tried again."""
        first = self._first_with.setdefault(reason, worker)
        why = reason if first == worker else f"for the same reason as {first}"
        self._warn("worker_start_failed", f"worker {worker} could not start: {why}", worker=worker)
        self._explain(reason, worker)

    def left_out(self, cores: Iterable[int], others: Iterable[int]) -> None:
        """Tell that no worker is left on some NPU cores; `others` have workers."""
        for core in cores:
            if core not in self._left_out:
                self._left_out.add(core)
                rest = ", ".join(map(str, sorted(others)))
                message = f"NPU core {core} IS LEFT OUT; NPU core {rest} takes over"
                self._warn("npu_core_left_out", message, npu_core=core)

    def back(self, worker: int) -> None:
        """Tell that a new process has taken a lost worker's slot."""
        self._warn("worker_back", f"worker {worker} is back", worker=worker)

    def died(self, worker: int, reason: str, wait: float) -> None:
        """Tell that a worker is lost; another comes after `wait` seconds."""
        message = f"worker {worker} died ({reason}); a new one starts in {wait:.1f} s"
        self._warn("worker_died", message, worker=worker)
        self._explain(reason, worker)

    def given_up(self, worker: int, reason: str, often: str) -> None:
        """Tell that a worker is given up, having died so `often`: "7 times in 12 s"."""
        message = f"worker {worker} died {often} ({reason}); given up"
        self._warn("worker_given_up", message, worker=worker)
        self._explain(reason, worker)

    def replaced(self, worker: int, size_mb: float, limit_mb: float) -> None:
        """Tell that a worker's memory has grown too much."""
        sizes = f"{size_mb:.0f} MB of memory, over {limit_mb:.0f} MB"
        message = f"worker {worker} has grown to {sizes}: a new one replaces it"
        self._warn("worker_replaced", message, worker=worker)

    def refused(self, worker: int, reason: str) -> None:
        """Tell that the system lets no worker start now; it is asked again and again."""
        message = f"worker {worker} can't be started now: {reason}; it is tried again"
        self._warn("worker_refused", message, worker=worker)

    def stuck(self, worker: int, pid: int | None, reason: str = "") -> None:
        """Tell that a worker's process could not be ended, and is left alone."""
        message = (
            f"worker {worker}{reason and f' ({reason})'} is given up: its process {pid} does not "
            "end, not even by SIGKILL; a driver or a network share holds it, see "
            f"`sudo cat /proc/{pid}/stack`; a restart of this machine ends it"
        )
        self._warn("worker_stuck", message, worker=worker)

    def fork_server_killed(self, pid: int | None) -> None:
        """Tell that the fork server did not leave by itself."""
        self._warn("fork_server_killed", f"the fork server (pid {pid}) hung, and was killed")

    def _explain(self, reason: str, worker: int) -> None:
        """Tell once what a known error of the NPU means, and what helps."""
        known = explain(reason, detect().soc) if self._runtime == RKNN else None
        if known is not None and known.seen not in self._explained:
            self._explained.add(known.seen)
            message = f"that means: {known.means}; try:\n  {shell_command(known.fix)}"
            self._warn("known_error", message, worker=worker)

    def _warn(self, event: str, message: str, **fields: int) -> None:
        self._waiting.append((message, {"event": event, **fields}))
        self.last.append(Told(at=time.time(), message=utf8(message)))

    def _log_now(self, message: str, fields: dict[str, str | int]) -> None:
        self._log.warning(message, extra=fields)
