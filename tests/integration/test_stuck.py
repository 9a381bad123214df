"""Processes that not even SIGKILL ends, as in a driver or on a dead share; and those that only seem
to live, because others hold what was theirs."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from farm.api import Farm
from tests.helpers import freezer, fuse
from tests.helpers.stage import Stage, process_of
from tests.helpers.support import children_of, fork_server_of, is_alive, simulated, wait_for
from tests.helpers.told import Told

END_SECONDS = 0.3
KILLED_SECONDS = 0.2  # what the fork server may take to end itself

needs_freezer = pytest.mark.skipif(bool(freezer.why_not()), reason=freezer.why_not())
needs_fuse = pytest.mark.skipif(bool(fuse.why_not()), reason=fuse.why_not())


@pytest.fixture
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not end is given up soon."""
    monkeypatch.setattr("farm.coordinator.worker_process.END_SECONDS", END_SECONDS)
    monkeypatch.setattr("farm.coordinator.supervisor.TERM_SECONDS", 0.1)
    monkeypatch.setattr("farm.coordinator.fork_server.LEAVE_SECONDS", KILLED_SECONDS)


@needs_freezer
@pytest.mark.usefixtures("short_limits")
def test_a_worker_that_does_not_end_is_left_and_its_images_go_to_others(
    renders: list[Path], run_dirs: Path
) -> None:
    told = Told()
    with freezer.freezer() as cold:
        with Farm(simulated(batch_seconds=3.0), log=told) as farm:
            victim = process_of(1)
            cold.add(victim)
            results = []
            for result in farm.classify(renders * 4):
                results.append(result)
                if len(results) == 10:
                    cold.freeze()
            assert sorted(result.id for result in results) == list(range(len(renders) * 4))
            assert all(result.error is None for result in results)
            assert farm.losses == 1
            assert farm.bad_cores == (1,)
            assert all(result.worker != 1 for result in farm.classify(renders))
        assert is_alive(victim)
    (line,) = told.of("worker_stuck")
    assert told.of("worker_stuck", 1) == [line]
    assert str(victim) in line
    assert "3 s" in line
    assert list(run_dirs.iterdir()) == []
    assert wait_for(lambda: not is_alive(victim))


@needs_freezer
@pytest.mark.usefixtures("short_limits")
def test_workers_that_do_not_end_keep_no_farm_from_closing(run_dirs: Path) -> None:
    told = Told()
    with freezer.freezer() as cold:
        with Farm(simulated(drain_seconds=0.1), log=told):
            cold.add(*children_of(os.getpid()))
            cold.freeze()
            begun = time.monotonic()
        assert time.monotonic() - begun < 5
    assert sorted(told.events)[-3:] == [("worker_stuck", worker) for worker in range(3)]
    assert list(run_dirs.iterdir()) == []


@needs_freezer
@pytest.mark.usefixtures("short_limits")
def test_a_fork_server_that_does_not_end_keeps_no_farm_from_closing(run_dirs: Path) -> None:
    told = Told()
    with freezer.freezer() as cold:
        with Farm(simulated(), log=told):
            server = fork_server_of(os.getpid())
            cold.add(server)
            cold.freeze()
            begun = time.monotonic()
        assert time.monotonic() - begun < 10
        assert is_alive(server)
    assert told.events[-1] == ("fork_server_killed", None)
    assert list(run_dirs.iterdir()) == []
    assert wait_for(lambda: not is_alive(server))


@needs_fuse
@pytest.mark.usefixtures("short_limits")
def test_an_image_on_a_dead_share_costs_no_other_image(renders: list[Path]) -> None:
    told = Told()
    with fuse.fuse_mount() as share:
        dead = share.path / "dead.jpg"
        dead.write_bytes(renders[0].read_bytes())
        share.hold(dead.name)
        config = simulated(size=6, batch_seconds=1.0, drain_seconds=0.1)
        with Farm(config, log=told) as farm:
            results = list(farm.classify([*renders, dead, *renders], ordered=True))
    assert [r.id for r in results if r.error] == [len(renders)]
    error = results[len(renders)].error
    assert error is not None
    assert error.kind == "worker_died"
    assert len(told.of("worker_stuck")) == 3


def test_a_worker_is_gone_though_a_child_of_it_holds_its_pipes(stage: Stage) -> None:
    stage.arm(1, "infer", "leave a child", after=3)
    with stage.farm(2) as farm:
        while not stage.told.of("worker_back", 1):
            stage.classify(farm)
        assert farm.losses == 1
    child = int((stage.faults / "worker-1.child").read_text())
    assert is_alive(child)
    os.kill(child, signal.SIGKILL)
    (died,) = stage.told.of("worker_died", 1)
    assert "SIGKILL" in died
