"""What can be struck: the hub, the boards and the sender, each behind a link of its own."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.helpers.cluster import Cluster, Process, cluster
from tests.helpers.hub import Hub, hub
from tests.helpers.tcp_proxy import TcpProxy, tcp_proxy

SPEEDS: Final = ((2.0, 1), (4.0, 2), (12.0, 1), (24.0, 3))  # ms an image, NPU cores; in turn


@dataclass(slots=True)
class Seat:
    """A board's place: its name, its link to the hub, its NPU, the board that is there now."""

    name: str
    link: TcpProxy
    address: str
    speed: tuple[float, int]
    board: Process | None = None


class Scene:
    """A hub, seats with boards, a sender that comes again after each death."""

    def __init__(self, there: Hub, many: Cluster, seats: list[Seat], link: TcpProxy) -> None:
        self.hub, self.many, self.seats, self.sender_link = there, many, seats, link
        self.sender: Process | None = None

    def fill(self, seat: Seat) -> None:
        """Start a board in a seat."""
        ms, cores = seat.speed
        seat.board = self.many.board(seat.name, service_ms=ms, cores=cores, address=seat.address)

    def send(self, folder: Path, *more: str, until: float) -> int:
        """Send all of a folder's images that have no result yet; return the exit code.

        It is killed if it is not done by then (monotonic seconds).
        """
        address = through(self.hub, self.sender_link)
        self.sender = self.many.sender(folder, "--resume", *more, address=address)
        try:
            return self.sender.process.wait(until - time.monotonic())
        except subprocess.TimeoutExpired:
            return self.sender.end()

    def alive(self) -> list[Seat]:
        """The seats whose board lives."""
        return [seat for seat in self.seats if seat.board and seat.board.process.poll() is None]


def through(there: Hub, link: TcpProxy) -> str:
    """A hub's address by way of a link."""
    return there.address.replace(f":{there.port}", f":{link.port}")


@contextmanager
def scene(folder: Path, boards: int, ack_seconds: float) -> Iterator[Scene]:
    """A scene whose boards have joined; all of it ends with the block."""
    with ExitStack() as stack:
        there = stack.enter_context(hub(folder / "store", ack_seconds=ack_seconds))
        links = [stack.enter_context(tcp_proxy(there.port)) for _ in range(boards + 1)]
        many = stack.enter_context(cluster(there.address, folder / "cluster"))
        seats = [
            Seat(f"board-{number}", link, through(there, link), SPEEDS[number % len(SPEEDS)])
            for number, link in enumerate(links[:-1])
        ]
        set_up = Scene(there, many, seats, links[-1])
        for seat in seats:
            set_up.fill(seat)
        for seat in set_up.alive():
            assert seat.board is not None
            seat.board.wait_for("joined")
        yield set_up
