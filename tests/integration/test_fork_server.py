"""What workers are forked from, and what happens when it dies."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.api import Farm
from farm.config.schema import FarmConfig
from farm.coordinator.fork_server import ForkServer
from farm.errors import StartError
from tests.helpers.support import PATIENCE, ROOT, children_of, fork_server_of, is_alive, wait_for
from tests.helpers.told import Told
from workers.main import EXIT_NO_INIT


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ForkServer]:
    server = ForkServer(str(tmp_path), max_pixels=1)
    yield server
    server.close()


def pipes() -> tuple[list[int], list[int]]:
    """Three pipes as a worker's: the ends that are ours, the ends that are its own."""
    (their_input, our_input), (our_output, their_output), (sentinel, held) = (
        os.pipe() for _ in range(3)
    )
    return [our_input, our_output, sentinel], [their_input, their_output, held]


def close(fds: list[int]) -> None:
    for fd in fds:
        os.close(fd)


def simulated(size: int, **changes: object) -> FarmConfig:
    values = {"platform": "rk3588", "runtime": "simulated", "size": size, "cpu": "all", **changes}
    return FarmConfig.model_validate(values)


def test_a_fork_has_its_own_streams_and_its_end_is_told(server: ForkServer) -> None:
    ours, theirs = pipes()
    child = server.fork("worker-7", theirs)
    close(theirs)
    pid = server.pid(child)
    assert pid is not None
    assert wait_for(lambda: Path(f"/proc/{pid}/comm").read_text() == "worker-7\n")
    assert os.getsid(pid) == fork_server_of(os.getpid())  # not ours, and not its own
    os.close(ours[0])  # so it gets no WorkerInit
    assert b"the farm's coordinator starts this" in os.read(ours[1], 1000)
    assert os.read(ours[2], 1) == b""
    assert server.wait(child, 5) == EXIT_NO_INIT
    close(ours[1:])


def test_a_fork_holds_nothing_of_its_siblings(server: ForkServer) -> None:
    (ours, theirs), (others, their_others) = pipes(), pipes()
    first, second = server.fork("worker-0", theirs), server.fork("worker-1", their_others)
    close(theirs)
    close(their_others)
    os.close(ours[0])
    assert server.wait(first, 5) == EXIT_NO_INIT
    assert server.wait(second, 0) is None
    assert os.read(ours[2], 1) == b""  # the second has no copy of the end that the first held
    server.send_signal(second, signal.SIGKILL)
    assert server.wait(second, 5) == -signal.SIGKILL
    assert os.read(others[2], 1) == b""
    close([*ours[1:], *others])


def test_ends_before_anybody_asks_are_told_of_the_right_one(server: ForkServer) -> None:
    held, children = [], []
    for number in range(20):
        ours, theirs = pipes()
        children.append(server.fork(f"worker-{number}", theirs))
        close([ours[0], *theirs])
        held += ours[1:]
    assert [server.wait(child, 20) for child in children] == [EXIT_NO_INIT] * 20
    assert len({child.pid for child in children}) == 20
    close(held)


def test_what_is_forked_has_one_thread() -> None:
    """Threads of a library that is imported before the fork would be missing after it."""
    script = (
        "import os; from workers import forkserver; assert forkserver.preload() == ''; "
        "print(len(os.listdir('/proc/self/task')))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=True)
    assert done.stdout == b"1\n"


def test_the_fork_server_leaves_with_its_coordinator() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "workers.forkserver", "no-folder", str(theirs.fileno())],
            cwd=ROOT,
            pass_fds=(theirs.fileno(),),
        )
    ours.close()
    assert process.wait(PATIENCE) == 0


def test_a_fork_server_leaves_though_nobody_has_read_its_answers() -> None:
    (ours, theirs), (pipes_of_ours, of_the_worker) = (
        socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET),
        pipes(),
    )
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "workers.forkserver", "no-folder", str(theirs.fileno())],
            cwd=ROOT,
            pass_fds=(theirs.fileno(),),
            stderr=subprocess.PIPE,
        )
    socket.send_fds(ours, [b"worker-0"], of_the_worker)
    assert select.select([ours], [], [], PATIENCE)[0]  # the answer is there
    ours.close()
    _, said = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said) == (0, b"")
    close([*pipes_of_ours, *of_the_worker])


def test_a_fork_server_that_hangs_is_given_up(
    server: ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, of_the_first = pipes()
    assert server.pid(server.fork("worker-0", of_the_first)) is not None
    close([*before, *of_the_first])
    os.kill(fork_server_of(os.getpid()), signal.SIGSTOP)
    monkeypatch.setattr("farm.coordinator.fork_server.FORK_SECONDS", 0.2)
    ours, theirs = pipes()
    child = server.fork("worker-1", theirs)
    close(theirs)
    assert server.pid(child) is None
    assert wait_for(lambda: not server.alive)
    assert os.read(ours[2], 1) == b""  # so the coordinator hears that this worker will never be
    close(ours)


def test_workers_go_on_without_the_process_they_were_forked_from(
    renders: list[Path], run_dirs: Path
) -> None:
    told = Told()
    with Farm(simulated(3), log=told) as farm:
        workers, server = children_of(os.getpid()), fork_server_of(os.getpid())
        os.kill(server, signal.SIGKILL)
        assert wait_for(lambda: not is_alive(server))
        results = list(farm.classify(renders))
        assert [result for result in results if result.error] == []
        assert farm.losses == 0
        os.kill(workers[0], signal.SIGKILL)
        assert [result for result in farm.classify(renders * 10) if result.error] == []
        assert farm.losses == 1
        assert fork_server_of(os.getpid()) != server
        assert len(children_of(os.getpid())) == 1  # the one that the new server has forked
    assert not any(map(is_alive, workers))
    assert any("the process that all workers are forked from has died" in line for line in told)
    assert list(run_dirs.iterdir()) == []


def test_a_library_that_can_not_be_imported_is_said_by_every_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_dirs: Path
) -> None:
    (tmp_path / "cv2.py").write_text("raise ImportError('libGL.so.1: no such file')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(StartError, match=r"no worker could start: .*libGL\.so\.1: no such file"):
        Farm(simulated(2, allow_uneven=True)).__enter__()
    assert list(run_dirs.iterdir()) == []
