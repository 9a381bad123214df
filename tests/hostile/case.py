"""A case: what is sent to a server whose limits are small, by the row of the page that tells it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.helpers.raw_http import Answer, Connection, request

BODY: Final = 1 << 20  # bytes of the largest body
IMAGES: Final = 8  # images of one request at most
CONNECTIONS: Final = 24  # at a time
SECONDS: Final = 1.0  # in which a request comes


@dataclass(frozen=True, slots=True)
class Target:
    """A server with the limits above, its model's name, and a photo that it classifies."""

    address: tuple[str, int]
    model: str
    photo: bytes

    def connect(self) -> Connection:
        """Open a connection."""
        return Connection(self.address)

    def ask(self, *pieces: bytes) -> Answer | None:
        """Send these on a connection of their own; return the first answer."""
        with self.connect() as connection:
            return connection.send(*pieces).answer()


# Returns the answer; None if the server closed the connection instead.
Case = Callable[[Target], Answer | None]
CASES: Final[dict[str, Case]] = {}


def case(row: str) -> Callable[[Case], Case]:
    """Make a function the case of a row."""

    def decorate(function: Case) -> Case:
        assert row not in CASES
        CASES[row] = function
        return function

    return decorate


def plain(row: str, make: Callable[[Target], bytes]) -> None:
    """Make what is sent at once, on a connection of its own, the case of a row."""
    case(row)(lambda target: target.ask(make(target)))


def post(body: bytes, *headers: str, path: str = "/classify") -> bytes:
    """Return a request with a body."""
    return request("POST", path, *headers, body=body)
