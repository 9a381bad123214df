"""The one socket on which all workers report: what is no report is counted and dropped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from workers.errors import WireError
from workers.protocol.messages import Done, Failed, Ready
from workers.protocol.sockets import Context, Inbox

# The longest answer: 1024 items, each with an error about a path of 4096 bytes, and some. ZeroMQ
# disconnects who announces more, before it takes it in.
ANSWER_BYTES: Final = 16 << 20


class Sink:
    """The coordinator's PULL socket; `invalid` counts the messages that nobody can use."""

    def __init__(self, context: Context, address: str) -> None:
        self._inbox = Inbox(context, address, max_bytes=ANSWER_BYTES)
        self.socket = self._inbox.socket
        self.invalid = 0

    def reports(self) -> Iterator[Done | Ready | Failed]:
        """Yield every report that is there."""
        while True:
            try:
                message = self._inbox.receive(block=False)
            except WireError:
                self.invalid += 1
                continue
            match message:
                case None:
                    return
                case Done() | Ready() | Failed():
                    yield message
                case _:
                    self.invalid += 1

    def close(self) -> None:
        """Close the socket; reports not received yet are lost."""
        self._inbox.close()
