"""What workers are forked from, and what happens when it dies."""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

import workers
from farm.api import Farm
from farm.config.schema import FarmConfig
from farm.coordinator import fork_server
from farm.coordinator.fork_server import SILENT, Child, ForkServer
from farm.errors import StartError
from tests.helpers.support import PATIENCE, ROOT, children_of, fork_server_of, is_alive, wait_for
from tests.helpers.told import Told
from workers.main import EXIT_NO_INIT

# Importing what workers need fails while a file is there.
NOT_IMPORTED = """
import os, sys
class Finder:
    def find_spec(name, path=None, target=None):
        if name == "workers.loop" and os.path.exists({!r}):
            raise ImportError("no memory")
sys.meta_path.insert(0, Finder)
"""
# When one child is reaped, another one ends.
ONE_MORE_SIGNAL = """
import os, signal
waitpid = os.waitpid
def reap(*args):
    ended = waitpid(*args)
    if ended[0]:
        signal.raise_signal(signal.SIGCHLD)
    return ended
os.waitpid = reap
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ForkServer]:
    server = ForkServer(str(tmp_path), max_pixels=1)
    yield server
    server.close()


def pipes() -> tuple[list[int], list[int]]:
    """Two pipes as a worker's: the ends that are ours, the ends that are its own."""
    (their_input, our_input), (our_output, their_output) = os.pipe(), os.pipe()
    return [our_input, our_output], [their_input, their_output]


def close(fds: Iterable[int]) -> None:
    for fd in fds:
        os.close(fd)


def fork(server: ForkServer, name: str) -> tuple[Child, list[int]]:
    """Ask for a worker; return it, and our ends of its pipes."""
    child, (ours, theirs) = Child(), pipes()
    server.fork(child, name, theirs)
    close(theirs)
    return child, ours


def heard(server: ForkServer, fact: Callable[[], bool]) -> bool:
    """Listen to the server until `fact` is true."""

    def listen() -> bool:
        server.listen()
        return fact()

    return wait_for(listen)


def code_of(server: ForkServer, child: Child) -> int | None:
    """The exit code of a child that ends now."""
    assert heard(server, lambda: child.code is not None)
    return child.code


def simulated(size: int, **changes: object) -> FarmConfig:
    values = {"platform": "rk3588", "runtime": "simulated", "size": size, "cpu": "all", **changes}
    return FarmConfig.model_validate(values)


def test_a_fork_has_its_own_streams_and_its_end_is_told(server: ForkServer) -> None:
    child, (life_line, output) = fork(server, "worker-7")
    assert heard(server, lambda: child.pid is not None)
    pid = child.pid
    assert pid is not None
    assert wait_for(lambda: Path(f"/proc/{pid}/comm").read_text() == "worker-7\n")
    assert os.getsid(pid) == server.pid  # not ours, and not its own
    os.close(life_line)  # so it gets no WorkerInit
    assert code_of(server, child) == EXIT_NO_INIT
    assert b"the farm's coordinator starts this" in os.read(output, 1000)
    assert os.read(output, 1) == b""
    os.close(output)
    child.close_pidfd()


def test_a_signal_amid_the_news_of_an_end_changes_nothing(
    server: ForkServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(ONE_MORE_SIGNAL)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    forks = [fork(server, f"worker-{number}") for number in range(4)]
    assert heard(server, lambda: all(child.pid for child, _ in forks))
    for _, ours in forks:
        os.close(ours[0])  # they get no WorkerInit
    for child, ours in forks:
        assert code_of(server, child) == EXIT_NO_INIT
        child.close_pidfd()
        os.close(ours[1])
    assert server.pid is not None
    assert is_alive(server.pid)


def test_a_fork_holds_nothing_of_its_siblings(server: ForkServer) -> None:
    (first, ours), (second, others) = fork(server, "worker-0"), fork(server, "worker-1")
    os.close(ours[0])
    assert code_of(server, first) == EXIT_NO_INIT
    assert second.code is None
    assert b"starts this" in os.read(ours[1], 1000)
    assert os.read(ours[1], 1) == b""  # the second has no copy of the end that the first held
    server.send_signal(second, signal.SIGKILL)
    assert code_of(server, second) == -signal.SIGKILL
    assert os.read(others[1], 1) == b""
    close([ours[1], *others])
    first.close_pidfd()
    second.close_pidfd()


def test_a_fork_holds_only_its_streams_for_what_it_executes(server: ForkServer) -> None:
    child, (life_line, output) = fork(server, "worker-0")
    assert heard(server, lambda: child.pid is not None)
    assert wait_for(lambda: Path(f"/proc/{child.pid}/comm").read_text() == "worker-0\n")
    assert sorted(os.listdir(f"/proc/{child.pid}/fd")) == ["0", "1", "2"]
    os.close(life_line)
    assert code_of(server, child) == EXIT_NO_INIT
    os.close(output)
    child.close_pidfd()


def test_ends_before_anybody_asks_are_told_of_the_right_one(server: ForkServer) -> None:
    children, held = [], []
    for number in range(20):
        child, ours = fork(server, f"worker-{number}")
        os.close(ours[0])
        children.append(child)
        held.append(ours[1])
    assert [code_of(server, child) for child in children] == [EXIT_NO_INIT] * 20
    assert len({child.pid for child in children}) == 20
    close(held)
    for child in children:
        child.close_pidfd()


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
        # The one that the new server forks, once it has imported.
        assert wait_for(lambda: len(children_of(os.getpid())) == 1)
    assert not any(map(is_alive, workers))
    assert any("the process that all workers are forked from has died" in line for line in told)
    assert list(run_dirs.iterdir()) == []


def test_a_fork_server_that_hangs_is_replaced_when_a_worker_is_to_be(renders: list[Path]) -> None:
    told = Told()
    with Farm(simulated(3), log=told) as farm:
        workers, server = children_of(os.getpid()), fork_server_of(os.getpid())
        os.kill(server, signal.SIGSTOP)
        os.kill(workers[0], signal.SIGKILL)
        while not told.of("worker_back"):
            assert [result for result in farm.classify(renders) if result.error] == []
        assert farm.losses == 1
        assert fork_server_of(os.getpid()) != server
        assert not is_alive(server)
    (died,) = told.of("worker_died")
    assert SILENT in died


def test_a_fork_server_that_hangs_before_it_forks_is_given_up_with_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = fork_server.spawn

    def start_and_stop(*args: Any) -> subprocess.Popen[bytes]:
        process = start(*args)
        process.send_signal(signal.SIGSTOP)
        return process

    monkeypatch.setattr(fork_server, "spawn", start_and_stop)
    begun = time.monotonic()
    with pytest.raises(StartError, match=r"its start has not ended within 0\.5 s"):
        Farm(simulated(3, start_seconds=0.5)).__enter__()
    assert time.monotonic() - begun < 10
    assert children_of(os.getpid()) == []


def test_a_fork_server_that_hangs_keeps_no_farm_from_closing(run_dirs: Path) -> None:
    with Farm(simulated(3)):
        server = fork_server_of(os.getpid())
        os.kill(server, signal.SIGSTOP)
        begun = time.monotonic()
    assert time.monotonic() - begun < 20
    assert not is_alive(server)
    assert list(run_dirs.iterdir()) == []


def test_without_pidfds_workers_are_replaced_with_and_without_the_fork_server(
    renders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Linux 4.19."""
    (tmp_path / "sitecustomize.py").write_text("import os\ndel os.pidfd_open\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    told = Told()

    def strike_until_back(times: int, *victims: int) -> None:
        for victim in victims:
            os.kill(victim, signal.SIGKILL)
        while len(told.of("worker_back")) < times:
            assert [result for result in farm.classify(renders) if result.error] == []

    with Farm(simulated(3), log=told) as farm:
        first, second, _ = children_of(os.getpid())
        strike_until_back(1, first)
        strike_until_back(2, fork_server_of(os.getpid()), second)
        assert farm.losses == 2
    assert children_of(os.getpid()) == []


def test_a_library_that_can_not_be_imported_is_said_by_every_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_dirs: Path
) -> None:
    (tmp_path / "cv2.py").write_text("raise ImportError('libGL.so.1: no such file')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(StartError, match=r"no worker could start: .*libGL\.so\.1: no such file"):
        Farm(simulated(2, allow_uneven=True)).__enter__()
    assert list(run_dirs.iterdir()) == []


def test_modules_of_the_programs_own_path_do_not_replace_pythons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As old backports do that lie in the folder of the installed packages, which come later."""
    shutil.copytree(Path(workers.__file__).parent, tmp_path / "workers")
    for name in ("pathlib", "enum"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('a backport')")
    monkeypatch.setattr(workers, "__file__", str(tmp_path / "workers" / "__init__.py"))
    site = tmp_path / "sitecustomize.py"  # .pth files add their folders so: after Python's own
    site.write_text(f"import sys; sys.path.append({str(tmp_path)!r})")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    (tmp_path / "site").mkdir()
    site.rename(tmp_path / "site" / site.name)
    with Farm(simulated(2, allow_uneven=True)) as farm:
        assert farm.losses == 0


def test_what_could_not_be_imported_is_tried_again_by_a_new_fork_server(
    renders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = tmp_path / "missing"
    (tmp_path / "sitecustomize.py").write_text(NOT_IMPORTED.format(str(missing)))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    told = Told()
    with Farm(simulated(3), log=told) as farm:
        victims = fork_server_of(os.getpid()), children_of(os.getpid())[0]
        missing.touch()
        for victim in victims:
            os.kill(victim, signal.SIGKILL)
        while not any("no memory" in line for line in told.of("worker_died")):
            assert [result for result in farm.classify(renders) if result.error] == []
        missing.unlink()
        while not told.of("worker_back"):
            assert [result for result in farm.classify(renders) if result.error] == []
            assert told.of("worker_given_up") == []
