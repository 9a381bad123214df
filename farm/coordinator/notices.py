"""What a user is told of the workers' lives: a line for each thing, and each thing once."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from farm.hardware.known_errors import explain
from farm.system.terminal import shell_command
from workers.runtimes.base import RKNN

Tell = Callable[[str], None]


class Notices:
    """Words about workers that run models with `runtime`, for `tell` to pass on."""

    def __init__(self, tell: Tell, runtime: str) -> None:
        self._tell = tell
        self._runtime = runtime
        self._first_with: dict[str, int] = {}  # the worker whose start failed so first
        self._left_out: set[int] = set()
        self._explained: set[str] = set()

    def start_failed(self, worker: int, reason: str) -> None:
        """A worker could not start, and will not be tried again."""
        first = self._first_with.setdefault(reason, worker)
        why = reason if first == worker else f"for the same reason as {first}"
        self._tell(f"worker {worker} could not start: {why}")
        self.trouble(reason)

    def trouble(self, reason: str) -> None:
        """What a trouble of the NPU that users know means, and what helps."""
        known = explain(reason) if self._runtime == RKNN else None
        if known is not None and known.seen not in self._explained:
            self._explained.add(known.seen)
            self._tell(f"that means: {known.means}; try: {shell_command(known.fix)}")

    def left_out(self, cores: Iterable[int], others: Iterable[int]) -> None:
        """No worker is left on some NPU cores; `others` have workers."""
        for core in cores:
            if core not in self._left_out:
                self._left_out.add(core)
                rest = ", ".join(map(str, sorted(others)))
                self._tell(f"NPU core {core} IS LEFT OUT; its share goes to NPU core {rest}")

    def back(self, worker: int) -> None:
        """A new process has taken a lost worker's slot."""
        self._tell(f"worker {worker} is back")

    def died(self, worker: int, reason: str, wait: float) -> None:
        """A worker is lost; another comes after `wait` seconds."""
        self._tell(f"worker {worker} died ({reason}); a new one starts in {wait:.1f} s")
        self.trouble(reason)

    def given_up(self, worker: int, reason: str, often: str) -> None:
        """A worker's slot is given up, having died so `often`: "7 times in 12 s"."""
        self._tell(f"worker {worker} died {often} ({reason}); given up")
        self.trouble(reason)

    def replaced(self, worker: int, size_mb: float, limit_mb: float) -> None:
        """A worker has grown too big."""
        sizes = f"{size_mb:.0f} MB of memory, over {limit_mb:.0f} MB"
        self._tell(f"worker {worker} has grown to {sizes}: a new one takes its slot")
