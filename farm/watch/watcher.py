"""Which farm is shown, and what is known of it; after its end, of the next one."""

from __future__ import annotations

import time
from typing import Any, Final

import zmq

from farm.watch import figures
from farm.watch.board import BoardReader
from farm.watch.history import History
from farm.watch.panes import View
from farm.watch.running import running
from farm.watch.snapshot import Snapshot
from farm.watch.viewer import Viewer

SECOND: Final = 1.0  # between two looks at which farms run, and at a board without one
STALE_SECONDS: Final = 3.0  # a farm shows itself every second
FIRST_SECONDS: Final = 0.3  # for a farm that is polled to show itself for the first time
KEYS: Final = "q: leave"


class Watcher:
    """Looks at the farm at `address`, or at the board, if it is None, until a farm starts.

    Once the farm has ended, its last picture stays until another one starts; or, without `follow`,
    that is the end (`over`).
    """

    def __init__(self, address: str | None, *, follow: bool) -> None:
        self._follow, self.over = follow, False
        self._board = BoardReader()
        self._board.mark(time.monotonic())
        self._address = address
        self._viewer: Viewer | None = None
        self._ended = False
        self._passed: set[str] = set()  # those that ran already when the farm ended
        self._history = History()
        self._last = self._board_alone()
        if address is not None:
            self._open(address)
        self._looked_at = time.monotonic()

    def wait(self, fds: tuple[int, ...]) -> None:
        """Wait for a snapshot, or for one of `fds`, for a second at most, and take in what is new.

        Raises SnapshotError if the farm is one of another version.
        """
        poller: Any = zmq.Poller()
        for fd in fds:
            poller.register(fd, zmq.POLLIN)
        if self._viewer is not None:
            poller.register(self._viewer.socket, zmq.POLLIN)
        until = self._looked_at + SECOND
        poller.poll(max(0, int((until - time.monotonic()) * 1000)))
        self._take()
        if (now := time.monotonic()) >= until:
            self._looked_at = now
            self._look_round()

    def view(self, now: float) -> View:
        """Return what is to be seen `now` (seconds since 1970)."""
        return View(
            snapshot=self._last, history=self._history, now=now, note=self._note(now), keys=KEYS
        )

    def close(self) -> None:
        """Let go of the farm."""
        if self._viewer is not None:
            self._viewer.close()
            self._viewer = None

    def _take(self, seconds: float = 0) -> None:
        if self._viewer is not None and (seen := self._viewer.receive(seconds)) is not None:
            self._last, self._history = seen, self._history.after(seen)

    def _look_round(self) -> None:
        alive = running()
        if self._viewer is not None and self._address not in alive:
            self._take()  # what it has shown last
            self.close()
            self._ended, self.over = True, not self._follow
            self._passed = set(alive)
        elif self._viewer is None and (new := [each for each in alive if each not in self._passed]):
            self._open(new[0])
        if self._last.farm is None:
            self._last = self._board_alone()

    def _open(self, address: str) -> None:
        self._address, self._viewer, self._ended = address, Viewer(address), False
        self._last = self._board_alone()
        self._take(FIRST_SECONDS)

    def _board_alone(self) -> Snapshot:
        now = time.monotonic()
        snapshot = Snapshot(at=time.time(), farm=None, board=self._board.read(now))
        self._board.mark(now)
        return snapshot

    def _note(self, now: float) -> str:
        if self._ended:
            return f"this farm has ended{'; the next one that starts is shown' * self._follow}"
        if self._address is None:
            return "no farm runs here; the first one that starts is shown"
        if self._last.farm is None:
            return "the farm has shown nothing yet: its program takes no results"
        if (age := now - self._last.at) >= STALE_SECONDS:
            return f"nothing new for {figures.ago(age)}: the farm's program takes no results"
        return ""
