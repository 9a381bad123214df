from __future__ import annotations

from pathlib import Path

import pytest
import zmq

from farm.errors import SnapshotError
from farm.watch.snapshot import encode
from farm.watch.viewer import Viewer
from tests.helpers.snapshots import a_snapshot


def test_a_viewer_gets_what_is_published_and_nothing_after_the_end(tmp_path: Path) -> None:
    address = f"ipc://{tmp_path}/s"
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    publisher = context.socket(zmq.XPUB)
    publisher.bind(address)
    viewer = Viewer(address)
    try:
        assert publisher.recv() == b"\x01"
        publisher.send(encode(a_snapshot(ok=5)))
        assert viewer.receive(60) == a_snapshot(ok=5)
        publisher.send(b"rubbish")
        with pytest.raises(SnapshotError):
            viewer.receive(60)
        context.destroy(linger=0)
        assert viewer.receive(0) is None
    finally:
        viewer.close()
        context.destroy(linger=0)
