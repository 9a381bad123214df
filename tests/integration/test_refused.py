"""Starts that the system refuses, for a limit is reached: tried again, while others carry on."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from farm.api import Farm
from farm.errors import NoWorkersError, StartError
from tests.helpers import pids_limit
from tests.helpers.programs import run
from tests.helpers.stage import Stage, process_of
from tests.helpers.support import children_of, fork_server_of, is_alive, simulated, wait_for
from tests.helpers.told import Told

needs_pids = pytest.mark.skipif(bool(pids_limit.why_not()), reason=pids_limit.why_not())

NO_FILES = """
import os, resource, signal
from pathlib import Path
from farm.api import Farm
from tests.helpers.stage import process_of
from tests.helpers.support import simulated
from tests.helpers.told import Told

def classify():
    assert all(result.error is None for result in farm.classify(images))

images, told, taken = sorted(Path(FOLDER).iterdir()), Told(), []
resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
with Farm(simulated(), log=told) as farm:
    worker = process_of(1)
    try:
        while True:
            taken.append(os.dup(0))
    except OSError:
        os.kill(worker, signal.SIGKILL)
    while not told.of("worker_refused", 1):
        classify()
    for fd in taken:
        os.close(fd)
    while not told.of("worker_back", 1):
        classify()
    assert farm.losses == 1
print(*told.of("worker_refused"))
"""


class Lifts(Told):
    """Lifts a limit as soon as a refusal is told: removes a file."""

    def __init__(self, limit: Path) -> None:
        super().__init__()
        self._limit = limit

    def handle(self, record: logging.LogRecord) -> None:
        super().handle(record)
        if self.of("worker_refused"):
            self._limit.unlink(missing_ok=True)


@pytest.fixture
def few_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is refused by the third time is given up."""
    monkeypatch.setattr("farm.scheduler.lifecycle.DEATHS_ALLOWED", 2)


def test_a_worker_that_can_not_be_forked_for_a_while_comes_back(stage: Stage) -> None:
    with stage.farm(2) as farm:
        stage.no_forks.touch()
        os.kill(process_of(1), signal.SIGKILL)
        while not stage.told.of("worker_refused", 1):
            stage.classify(farm)
        stage.no_forks.unlink()
        while not stage.told.of("worker_back", 1):
            stage.classify(farm)
        assert farm.losses == 1
    (line,) = stage.told.of("worker_refused")
    assert "ulimit -u" in line


@pytest.mark.usefixtures("few_tries")
def test_a_worker_that_can_not_be_forked_is_no_matter_as_long_as_another_works(
    stage: Stage,
) -> None:
    with stage.farm(2) as farm:
        stage.no_forks.touch()
        os.kill(process_of(1), signal.SIGKILL)
        (slot,) = farm._up().coordinator.supervisor.slots[1:]
        while slot.refusals < 6:
            stage.classify(farm)
        assert farm.bad_cores == ()
    assert len(stage.told.of("worker_refused")) == 1


@pytest.mark.usefixtures("few_tries")
def test_with_no_other_worker_left_the_limit_ends_the_run_by_its_name(stage: Stage) -> None:
    with stage.farm(2) as farm:
        stage.no_forks.touch()
        for worker in (0, 1):
            os.kill(process_of(worker), signal.SIGKILL)
        with pytest.raises(NoWorkersError, match="ulimit -u"):
            stage.classify(farm)


def test_a_farm_goes_up_though_its_first_starts_are_refused_for_a_while(stage: Stage) -> None:
    stage.no_forks.touch()
    stage.told = Lifts(stage.no_forks)
    with stage.farm(2) as farm:
        stage.classify(farm)
        assert farm.losses == 0
    assert len(stage.told.of("worker_refused")) == 1


@pytest.mark.usefixtures("few_tries")
def test_a_farm_none_of_whose_workers_can_be_forked_does_not_start(stage: Stage) -> None:
    stage.no_forks.touch()
    with pytest.raises(StartError, match=r"no worker could start: .*ulimit -u"):
        stage.farm(2).__enter__()


@needs_pids
def test_the_limit_of_processes_is_named_and_outlived(renders: list[Path]) -> None:
    told = Told()
    with pids_limit.pids_limit() as limit, Farm(simulated(), log=told) as farm:
        limit.add(fork_server_of(os.getpid()))
        limit.forbid()
        os.kill(process_of(1), signal.SIGKILL)
        while not told.of("worker_refused", 1):
            assert not any(result.error for result in farm.classify(renders))
        limit.allow()
        while not told.of("worker_back", 1):
            assert not any(result.error for result in farm.classify(renders))
        assert farm.losses == 1
    assert "pids.max" in told.of("worker_refused")[0]


def test_a_fork_server_that_can_not_be_replaced_for_a_while_is_replaced_then(
    renders: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told()
    popen, tries = subprocess.Popen, 0

    def refuse(*args: Any, **kwargs: Any) -> Any:
        nonlocal tries
        tries += 1
        if tries < 4:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return popen(*args, **kwargs)

    with Farm(simulated(), log=told) as farm:
        workers, server = children_of(os.getpid()), fork_server_of(os.getpid())
        monkeypatch.setattr("farm.coordinator.fork_server.subprocess.Popen", refuse)
        os.kill(server, signal.SIGKILL)
        assert wait_for(lambda: not is_alive(server))
        os.kill(workers[0], signal.SIGKILL)
        while not told.of("worker_back"):
            assert not any(result.error for result in farm.classify(renders))
        assert farm.losses == 1
    assert tries == 4
    assert len(told.of("worker_refused")) == 1


def test_a_program_that_has_no_file_left_keeps_its_other_workers(folder: str) -> None:
    done = run(sys.executable, "-c", NO_FILES.replace("FOLDER", repr(folder)))
    assert (done.returncode, done.stderr) == (0, "")
    assert "ulimit -n" in done.stdout
    assert done.stdout.count("\n") == 1
