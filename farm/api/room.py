"""How much may be outstanding at once: who submits more waits his turn."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """The most that is outstanding of what was submitted: `items`, and the `bytes` they carry."""

    items: int = 1024
    bytes: int = 256 << 20


class Room:
    """The room that a Bound leaves, for any thread: first come, first served."""

    def __init__(self, bound: Bound) -> None:
        self._bound = bound
        self._lock = threading.RLock()
        self._items = self._bytes = 0
        self._waiting: deque[tuple[int, Future[None]]] = deque()

    def enter(self, size: int) -> Future[None] | None:
        """Take room for an item that carries `size` bytes; `leave` gives it back.

        Return None if there was room, else a future that is done once there is. Cancel it to wait
        no longer; where that is too late, the room is taken.
        """
        with self._lock:
            if not self._waiting and self._fits(size):
                self._items += 1
                self._bytes += size
                return None
            entered: Future[None] = Future()
            self._waiting.append((size, entered))
            return entered

    def leave(self, size: int) -> None:
        """Give back the room of an item that carried `size` bytes."""
        with self._lock:
            self._items -= 1
            self._bytes -= size
        self._admit()

    def _fits(self, size: int) -> bool:
        """Return whether there is room; whatever is alone has room."""
        full = self._items >= self._bound.items or self._bytes + size > self._bound.bytes
        return not (full and self._items)

    def _admit(self) -> None:
        """Let in who waits, as far as there is room."""
        while True:
            with self._lock:
                if not self._waiting:
                    return
                size, entered = self._waiting[0]
                if not (self._fits(size) or entered.cancelled()):
                    return
                self._waiting.popleft()
                if not entered.set_running_or_notify_cancel():
                    continue
                self._items += 1
                self._bytes += size
            entered.set_result(None)  # without the lock: what waits for it may come here
