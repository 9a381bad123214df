"""ZeroMQ sockets as typed one-way queues of messages.

The receiver binds, the sender connects: a PUSH socket that binds would block its sender while
nobody is connected, and for ever once the receiver is dead. One that connects queues.
"""

from __future__ import annotations

from typing import Final

import zmq

from workers.protocol import messages as wire

Context = zmq.Context[zmq.Socket[bytes]]

# How long an exiting worker waits until its last answers are received.
FLUSH_MS: Final = 2000
READABLE: Final = int(zmq.POLLIN)  # as a flag of pyzmq's own it costs more
UNLIMITED: Final = 0
ANY_SIZE: Final = -1


class Inbox:
    """A PULL socket: receives messages of up to `max_bytes`, of all senders in turn.

    Of each sender it takes in `ahead` messages before they are asked for; others wait with him.
    Raises OSError if there can't be one at this address.
    """

    def __init__(
        self, context: Context, address: str, max_bytes: int = ANY_SIZE, ahead: int = UNLIMITED
    ) -> None:
        self.socket = context.socket(zmq.PULL)
        self.socket.maxmsgsize = max_bytes
        self.socket.rcvhwm = ahead
        self.socket.linger = 0
        try:
            self.socket.bind(address)
        except zmq.ZMQError as error:
            self.socket.close()  # or the context would wait for it when it ends
            raise OSError(error.errno, error.strerror, address) from error

    def receive(self, *, block: bool) -> wire.Message | None:
        """Return the next message, None if none has come; raise WireError for an invalid one."""
        data = self.receive_bytes(block=block)
        return None if data is None else wire.decode(data)

    def receive_bytes(self, *, block: bool) -> bytes | None:
        """Return the next message as it came, None if none has come."""
        # Asking first is cheaper than zmq.Again, which a worker would see once per image.
        if not block and not zmq.zmq_poll([(self.socket, READABLE)], 0):
            return None
        return self.socket.recv()

    def close(self) -> None:
        """Close the socket; messages not received yet are lost."""
        self.socket.close()


class Outbox:
    """A PUSH socket: sends messages to one receiver; raises OSError if there can't be another."""

    def __init__(self, context: Context, address: str) -> None:
        try:
            self._socket = context.socket(zmq.PUSH)
        except zmq.ZMQError as error:
            raise OSError(error.errno, error.strerror) from error
        # The window bounds the queue, not ZeroMQ: at a high-water mark PUSH would block.
        self._socket.sndhwm = UNLIMITED
        # Connected at the first message, when the receiver mostly listens already: an earlier
        # attempt would fail and be tried again only 100 ms later.
        self._unconnected: str | None = address

    def send(self, message: wire.Message) -> None:
        """Queue a message; never blocks."""
        if self._unconnected is not None:
            self._socket.connect(self._unconnected)
            self._unconnected = None
        self._socket.send(wire.encode(message))

    def close(self, *, flush: bool) -> None:
        """Close the socket; with `flush`, queued messages have up to FLUSH_MS to be sent."""
        self._socket.close(linger=FLUSH_MS if flush else 0)
