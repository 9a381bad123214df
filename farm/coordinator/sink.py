"""The one socket on which all workers report: what is no report is counted and dropped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from workers.errors import WireError
from workers.protocol.messages import Done, Failed, Ready, decode
from workers.protocol.sockets import Context, Inbox

# The longest answer: 1024 items, each with an error about a path of 4096 bytes, and some. ZeroMQ
# disconnects who announces more, before it takes it in.
ANSWER_BYTES: Final = 16 << 20
# Nobody who sends without end gets more of the farm's time, or of its memory.
AHEAD: Final = 16  # messages of each sender
TURN_BYTES: Final = 1 << 20  # at a poll, a message counting MESSAGE_BYTES more than it has
MESSAGE_BYTES: Final = 4096


class Sink:
    """The coordinator's PULL socket; `invalid` counts the messages that nobody can use."""

    def __init__(self, context: Context, address: str) -> None:
        self._inbox = Inbox(context, address, max_bytes=ANSWER_BYTES, ahead=AHEAD)
        self.socket = self._inbox.socket
        self.invalid = 0

    def reports(self) -> Iterator[Done | Ready | Failed]:
        """Yield the reports that are there: all, or of very many the first ones."""
        left = TURN_BYTES
        while left > 0 and (data := self._inbox.receive_bytes(block=False)) is not None:
            left -= MESSAGE_BYTES + len(data)
            try:
                message = decode(data)
            except WireError:
                self.invalid += 1
                continue
            if isinstance(message, (Done, Ready, Failed)):
                yield message
            else:
                self.invalid += 1

    def close(self) -> None:
        """Close the socket; reports not received yet are lost."""
        self._inbox.close()
