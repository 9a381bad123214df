"""What viewers see of a farm, and that it waits for none of them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.api import Farm
from farm.watch.running import running
from farm.watch.snapshot import FarmFacts
from farm.watch.viewer import Viewer, look
from tests.helpers.support import PATIENCE, children_of, simulated

FROZEN = """
import sys, zmq
socket = zmq.Context().socket(zmq.SUB)
socket.connect(sys.argv[1])
socket.subscribe(b"")
socket.recv()
print("sees", flush=True)
sys.stdin.read()
"""


def facts_of(farm: Farm) -> FarmFacts:
    facts = farm.snapshot().farm
    assert facts is not None
    return facts


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm(simulated(simulated={"service_ms": 1.0})) as farm:
        yield farm


def test_a_snapshot_has_what_the_farm_did(farm: Farm, renders: list[Path]) -> None:
    results = list(farm.classify([*renders, "/nowhere.jpg"]))
    facts = facts_of(farm)
    assert (facts.ok, facts.failures) == (len(renders), {"missing": 1})
    assert sum(worker.images for worker in facts.workers) == len(renders)
    assert {worker.pid for worker in facts.workers} == set(children_of(os.getpid()))
    assert [worker.npu_core for worker in facts.workers] == [0, 1, 2]
    assert {worker.state for worker in facts.workers} == {"up"}
    assert all(worker.memory_mb > 1 for worker in facts.workers)
    assert facts.stages["total"].count == len(renders)
    total = sum(result.ms.total for result in results if result.error is None)
    assert facts.stages["total"].sum_ms == pytest.approx(total, rel=0.2)
    assert facts.rate > 0
    assert (facts.waiting, facts.in_flight, facts.losses, facts.restarts) == (0, 0, 0, 0)
    assert (facts.simulated, facts.pid, facts.task) == (True, os.getpid(), "classify")


def test_a_lost_worker_is_seen_and_so_is_what_was_told_of_it(
    farm: Farm, renders: list[Path]
) -> None:
    results = farm.classify(renders * 20)
    next(results)
    os.kill(children_of(os.getpid())[0], signal.SIGKILL)
    list(results)
    facts = facts_of(farm)
    assert (facts.losses, sum(worker.losses for worker in facts.workers)) == (1, 1)
    assert any("SIGKILL" in told.message for told in facts.warnings)


def test_a_viewer_sees_the_farm_at_once_and_then_each_second(
    farm: Farm, renders: list[Path]
) -> None:
    farm.drive()
    viewers = [Viewer(farm.snapshot_address) for _ in range(3)]
    try:
        first = [viewer.receive(PATIENCE) for viewer in viewers]
        assert all(seen is not None and seen.farm is not None for seen in first)
        for future in [farm.submit(path) for path in renders]:
            future.result(PATIENCE)
        for viewer in viewers:
            while (seen := viewer.receive(PATIENCE)) is not None:
                assert seen.farm is not None
                if seen.farm.ok == len(renders):
                    break
            assert seen is not None
            assert seen.farm is not None
            assert seen.farm.npu_load is not None
            assert len(seen.farm.npu_load) == 3
            assert seen.board.cpu_load.keys() >= os.sched_getaffinity(0)
    finally:
        for viewer in viewers:
            viewer.close()


def test_a_viewer_that_never_reads_costs_the_farm_nothing(
    farm: Farm, renders: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a limit, what it has not read would be kept for it."""
    monkeypatch.setattr("farm.coordinator.coordinator.SECOND", 0.0)  # a snapshot at each poll
    lost = farm.drive()
    command = [sys.executable, "-c", FROZEN, farm.snapshot_address]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as frozen:
        assert frozen.stdout is not None
        assert frozen.stdin is not None
        assert frozen.stdout.readline() == b"sees\n"
        frozen.send_signal(signal.SIGSTOP)
        try:
            for _ in range(3):
                for future in [farm.submit(path) for path in renders]:
                    assert future.result(PATIENCE).error is None
            assert look(farm.snapshot_address, PATIENCE).farm is not None
            assert not lost.done()
        finally:
            frozen.kill()


def test_a_running_farm_is_found_and_one_that_has_ended_is_not(
    run_dirs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("farm.watch.running.USUAL", tempfile.gettempdir())
    with Farm(simulated()) as first, Farm(simulated(size=1)) as second:
        addresses = [first.snapshot_address, second.snapshot_address]
        assert sorted(running()) == sorted(addresses)
    assert running() == []
    assert list(run_dirs.iterdir()) == []


def test_a_farm_whose_folder_is_gone_is_still_seen(farm: Farm, renders: list[Path]) -> None:
    list(farm.classify(renders))
    shutil.rmtree(farm.plan.workers[0].run_dir)
    assert len(list(farm.classify(renders))) == len(renders)
    facts = facts_of(farm)
    assert (facts.ok, facts.npu_load) == (2 * len(renders), None)
    assert "No such file" in (facts.no_npu_load or "")
