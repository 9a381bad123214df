"""What is said of a worker's process as it ends."""

from __future__ import annotations

from pathlib import Path

import pytest
import zmq

from farm.coordinator.fork_server import ForkServer
from farm.coordinator.worker_process import WorkerProcess
from tests.helpers.support import worker_spec


def test_a_process_that_the_kernel_can_not_end_is_no_error_of_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    server = ForkServer(str(tmp_path), max_pixels=1)
    process = WorkerProcess(worker_spec(run_dir=str(tmp_path)), 1, context, server)
    with monkeypatch.context() as patch:
        patch.setattr("farm.coordinator.worker_process.JOIN_SECONDS", 0.1)
        patch.setattr(server, "send_signal", lambda *_: None)
        assert process.reap() == f"its process {process.pid} does not end"
    process.kill()
    assert "SIGKILL" in process.reap()
    process.close()
    server.close()
    context.term()
