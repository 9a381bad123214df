"""The one socket on which all workers report: what is no report is counted and dropped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from workers.errors import WireError
from workers.protocol.messages import LARGEST_OUTPUT, Done, Failed, Ready, decode
from workers.protocol.sockets import Context, Inbox

# The longest answer to an item is an own task's; a thousand objects take half of it, an error about
# a path of 4096 bytes less. ZeroMQ disconnects who announces more, before it takes it in.
ITEM_BYTES: Final = LARGEST_OUTPUT + 4096
OTHER_ITEMS: Final = 8  # as many more, a MB, for what else is in a message
# Nobody who sends without end gets more of the farm's time, or of its memory.
AHEAD: Final = 16  # messages of each sender
TURN_BYTES: Final = 1 << 20  # at a poll, a message counting MESSAGE_BYTES more than it has
MESSAGE_BYTES: Final = 4096


class Sink:
    """The coordinator's PULL socket, for answers to batches of up to `batch` items.

    `invalid` counts the messages that nobody can use.
    """

    def __init__(self, context: Context, address: str, batch: int) -> None:
        most = (OTHER_ITEMS + batch) * ITEM_BYTES
        self._inbox = Inbox(context, address, max_bytes=most, ahead=AHEAD)
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
