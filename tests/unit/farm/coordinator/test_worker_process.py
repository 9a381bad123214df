"""How a worker's process is known to have ended, and what is said of that."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zmq

from farm.coordinator.fork_server import DIED, SILENT, Child, ForkServer
from farm.coordinator.worker_process import END_SECONDS, TELL_SECONDS, WorkerProcess
from tests.helpers.support import wait_for, worker_spec
from workers.protocol import startup as steps

NO_PIDFD = "import os\ndel os.pidfd_open\n"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ForkServer]:
    server = ForkServer(str(tmp_path), max_pixels=1)
    yield server
    server.close()


@pytest.fixture
def process(
    server: ForkServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[WorkerProcess]:
    """A worker that has begun, and waits for the rest of what it is told."""
    pack_init = steps.pack_init
    monkeypatch.setattr(steps, "pack_init", lambda init: pack_init(init)[:-9])
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    process = WorkerProcess(worker_spec(run_dir=str(tmp_path)), 1, context, server)
    assert seen(server, process, lambda: process.pid is not None)
    yield process
    process.close()
    context.term()


@pytest.fixture
def no_pidfd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel before 5.3."""
    (tmp_path / "sitecustomize.py").write_text(NO_PIDFD)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


def look(server: ForkServer, process: WorkerProcess, *, now: float = 0.0) -> None:
    """Do what a poll does."""
    readable, _, _ = select.select([*server.fds, *process.watched], [], [], 0.01)
    server.listen()
    process.notice(readable, now=now)


def seen(server: ForkServer, process: WorkerProcess, fact: Callable[[], bool]) -> bool:
    def looked() -> bool:
        look(server, process)
        return fact()

    return wait_for(looked)


def dead(server: ForkServer, pid: int | None) -> None:
    """End the server before it can tell anything more."""
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert wait_for(lambda: not server.fds or bool(select.select(server.fds, [], [], 0)[0]))


def test_how_a_worker_ended_is_known_from_the_fork_server(
    server: ForkServer, process: WorkerProcess
) -> None:
    assert process.over_at > 1e9
    process.kill(now=0)
    assert seen(server, process, lambda: process.over_at == 0)
    assert process.how_it_ended() == "SIGKILL in its start"
    assert not process.stuck


def test_a_process_that_the_kernel_can_not_end_is_over_all_the_same(
    server: ForkServer, process: WorkerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(server, "send_signal", lambda *_: True)
        process.kill(now=7)
        process.kill(now=9)
    look(server, process)
    assert process.over_at == 7 + END_SECONDS
    assert process.stuck
    assert process.how_it_ended() == f"its process {process.pid} does not end"


def test_an_end_that_the_fork_server_does_not_tell_is_seen_and_the_server_given_up(
    server: ForkServer, process: WorkerProcess
) -> None:
    assert server.pid is not None
    os.kill(server.pid, signal.SIGSTOP)
    process.kill(now=0)
    assert seen(server, process, lambda: process.over_at == TELL_SECONDS)
    assert (process.how_it_ended(), process.stuck) == (SILENT, False)
    assert server.fds == []


def test_an_end_is_seen_though_the_fork_server_is_dead(
    server: ForkServer, process: WorkerProcess
) -> None:
    dead(server, server.pid)
    process.kill(now=3)
    assert seen(server, process, lambda: process.over_at == 0)
    assert (process.how_it_ended(), process.stuck) == (DIED, False)


def test_a_worker_that_a_dead_fork_server_has_not_told_of_is_asked_to_leave(
    server: ForkServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe that just ends says that the coordinator is gone: it would remove the folder."""
    held: list[int] = []

    def fork_untold(child: Child, _name: str, fds: list[int]) -> None:
        held.append(os.dup(fds[0]))
        child.refusal = DIED

    monkeypatch.setattr(server, "fork", fork_untold)
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    process = WorkerProcess(worker_spec(run_dir=str(tmp_path)), 1, context, server)
    process.close()
    context.term()
    with open(held[0], "rb") as life_line:
        assert life_line.read().endswith(steps.LEAVE)


@pytest.mark.usefixtures("no_pidfd")
def test_without_pidfds_the_fork_server_tells_of_the_end(
    server: ForkServer, process: WorkerProcess
) -> None:
    assert len(process.watched) == 1
    process.terminate()
    assert seen(server, process, lambda: process.over_at == 0)
    assert process.how_it_ended() == "SIGTERM in its start"


@pytest.mark.usefixtures("no_pidfd")
def test_without_pidfds_and_fork_server_the_end_of_its_output_counts(
    server: ForkServer, process: WorkerProcess
) -> None:
    assert process.pid is not None
    dead(server, server.pid)
    look(server, process)
    os.kill(process.pid, signal.SIGKILL)
    assert seen(server, process, lambda: process.over_at == 0)
    assert (process.how_it_ended(), process.stuck) == (DIED, False)


@pytest.mark.usefixtures("no_pidfd")
def test_nobody_gets_a_signal_whom_nobody_vouches_for(
    server: ForkServer, process: WorkerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By now the number may be another process's."""
    dead(server, server.pid)
    with monkeypatch.context() as patch:
        patch.setattr("os.kill", lambda pid, number: pytest.fail(f"kill {pid} with {number}"))
        process.terminate()
        process.kill(now=time.monotonic())
        assert process.memory_mb() == 0
    assert process.stuck


def test_a_stranger_with_the_number_of_a_worker_is_left_alone(
    server: ForkServer, process: WorkerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert process.memory_mb() > 0
    process.kill(now=0)
    assert seen(server, process, lambda: process.over_at == 0)
    monkeypatch.setattr(WorkerProcess, "pid", os.getpid())
    assert process.memory_mb() == 0
    process.terminate()  # this test lives
