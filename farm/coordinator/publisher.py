"""A farm's snapshots, once a second, to whoever looks."""

from __future__ import annotations

from typing import Final

import zmq

from farm.coordinator.facts import Facts
from farm.watch.snapshot import encode
from workers.protocol.sockets import Context

KEPT: Final = 2  # snapshots for a viewer that does not read: further ones are dropped
SUBSCRIBED: Final = b"\x01"
REQUESTS: Final = 100  # that are read at once: nobody's take more of the farm's time


class Publisher:
    """A PUB socket that waits for no viewer, and knows whether there is one.

    Raises OSError if there can't be one at this address.
    """

    def __init__(self, context: Context, address: str, facts: Facts) -> None:
        self._facts = facts
        self.socket = context.socket(zmq.XPUB)
        self.socket.linger = 0
        self.socket.sndhwm = KEPT
        self.socket.xpub_verbose = True  # the second viewer wants a snapshot as soon as the first
        self._topics: set[bytes] = set()
        try:
            self.socket.bind(address)
        except zmq.ZMQError as error:
            self.socket.close()  # or the context would wait for it when it ends
            raise OSError(error.errno, error.strerror, address) from error

    @property
    def watched(self) -> bool:
        """Whether anybody looks."""
        return bool(self._topics)

    def listen(self) -> None:
        """Take in who has come and gone; who has come gets a snapshot at once."""
        came = False
        for _ in range(REQUESTS):
            try:
                request = self.socket.recv(zmq.NOBLOCK)
            except zmq.Again:
                break
            if request[:1] == SUBSCRIBED:
                self._topics.add(request[1:])
                came = True
            else:
                self._topics.discard(request[1:])
        if came:
            self.publish()

    def publish(self) -> None:
        """Send a snapshot to all who look, if anybody does; never blocks."""
        if self.watched:
            self.socket.send(encode(self._facts.snapshot()))

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()
