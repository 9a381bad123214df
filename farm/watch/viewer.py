"""Receives a farm's snapshots."""

from __future__ import annotations

import zmq

from farm.errors import SnapshotError
from farm.watch.snapshot import Snapshot, decode


class Viewer:
    """Sees the newest snapshot of the farm at `address`; one that it has not received is replaced.

    The farm waits for no viewer. It may be closed, or gone, at any time: then no snapshot comes.
    """

    def __init__(self, address: str) -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.socket = self._context.socket(zmq.SUB)
        self.socket.conflate = True
        self.socket.linger = 0
        self.socket.subscribe(b"")
        self.socket.connect(address)

    def receive(self, seconds: float) -> Snapshot | None:
        """Return the next snapshot, None if none comes within `seconds`; raises SnapshotError."""
        if not self.socket.poll(max(0, int(seconds * 1000))):
            return None
        return decode(self.socket.recv())

    def close(self) -> None:
        """Let go of the farm."""
        self._context.destroy(linger=0)


def look(address: str, seconds: float) -> Snapshot:
    """Return a snapshot of the farm at `address`; raises SnapshotError if none comes in time."""
    viewer = Viewer(address)
    try:
        seen = viewer.receive(seconds)
    finally:
        viewer.close()
    if seen is None:
        raise SnapshotError(
            f"the farm has shown nothing for {seconds:g} s: nobody asks it for results"
        )
    return seen
