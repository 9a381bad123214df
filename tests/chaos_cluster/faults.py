"""What strikes a cluster: signals to boards, hub and sender, links cut and broken."""

from __future__ import annotations

import signal
import time
from typing import Final

from tests.chaos.chance import Chance
from tests.chaos.faults import Stops, send
from tests.chaos_cluster.scene import Scene, Seat
from tests.helpers.tcp_proxy import TcpProxy

ENDS: Final = (signal.SIGKILL, signal.SIGTERM)


class Deaths:
    """Boards that are killed, or told to stop, and come again."""

    def __init__(self, scene: Scene, chance: Chance) -> None:
        self._scene, self._chance = scene, chance
        self._until: dict[str, float] = {}

    def strike(self) -> str:
        """End one that lives."""
        victims = [seat for seat in self._scene.alive() if seat.name not in self._until]
        if not victims:
            return ""
        victim, how = self._chance.choice(victims), self._chance.choice(ENDS)
        self._until[victim.name] = time.monotonic() + self._chance.a_while()
        return f"{how.name} of a board" if send(pid_of(victim), how) else ""

    def settle(self, now: float) -> None:
        """Let those come again whose time has come, and who have ended."""
        alive = [seat.name for seat in self._scene.alive()]
        for seat in self._scene.seats:
            if self._until.get(seat.name, now) < now and seat.name not in alive:
                del self._until[seat.name]
                self._scene.fill(seat)


class Freezes:
    """Boards and senders that are stopped, and go on later."""

    def __init__(self, scene: Scene, chance: Chance) -> None:
        self._scene, self._chance, self._stopped = scene, chance, Stops()

    def strike(self) -> str:
        """Stop one that is not stopped already."""
        victims = [pid for pid in self._pids() if pid not in self._stopped]
        if not victims:
            return ""
        how = self._stopped.stop(self._chance.choice(victims), self._chance.a_while())
        return how and f"{how} of a board or the sender"

    def settle(self, now: float) -> None:
        """Let those go on whose time has come."""
        self._stopped.settle(now, self._pids())

    def _pids(self) -> list[int]:
        sender = self._scene.sender
        sends = [sender.process.pid] if sender and sender.process.poll() is None else []
        return [pid_of(seat) for seat in self._scene.alive()] + sends


class Links:
    """Links that are cut for a while, or broken."""

    def __init__(self, scene: Scene, chance: Chance) -> None:
        self._chance = chance
        self._links = [*(seat.link for seat in scene.seats), scene.sender_link]
        self._cut: dict[TcpProxy, float] = {}

    def strike(self) -> str:
        """Cut or break one that is whole."""
        link = self._chance.choice(
            [each for each in self._links if each not in self._cut] or [None]
        )
        if link is None:
            return ""
        if self._chance.random() < 0.5:
            link.drop()
            return "broken link"
        link.cut()
        self._cut[link] = time.monotonic() + self._chance.a_while()
        return "link cut"

    def settle(self, now: float) -> None:
        """Heal those whose time has come."""
        for link, until in list(self._cut.items()):
            if until <= now:
                link.heal()
                del self._cut[link]


class Outages:
    """The hub, killed or ended, and started again on its store."""

    def __init__(self, scene: Scene, chance: Chance) -> None:
        self._hub, self._chance = scene.hub, chance
        self._until: float | None = None

    def strike(self) -> str:
        """End it, unless it is down."""
        if self._until is not None:
            return ""
        how = self._chance.choice(ENDS)
        if how == signal.SIGKILL:
            self._hub.kill()
        else:
            self._hub.terminate()
        self._until = time.monotonic() + self._chance.a_while()
        return f"{how.name} of the hub"

    def settle(self, now: float) -> None:
        """Start it if its time has come."""
        if self._until is not None and self._until <= now:
            self._until = None
            self._hub.start()


class Senders:
    """The sender, killed or told to stop; who started it starts it again."""

    def __init__(self, scene: Scene, chance: Chance) -> None:
        self._scene, self._chance = scene, chance

    def strike(self) -> str:
        """End it if it is there."""
        sender = self._scene.sender
        if sender is None or sender.process.poll() is not None:
            return ""
        how = self._chance.choice(ENDS)
        return f"{how.name} of the sender" if send(sender.process.pid, how) else ""

    def settle(self, now: float) -> None:
        """Nothing lasts."""


def pid_of(seat: Seat) -> int:
    """The process of the board in a seat."""
    assert seat.board is not None
    return seat.board.process.pid
