"""A program's log handlers that raise: they cost no result, and leave no worker behind."""

from __future__ import annotations

import logging
import os
import signal
from pathlib import Path
from typing import Final

import pytest

from farm.api import Farm
from farm.coordinator.fork_server import ForkServer
from tests.helpers.support import children_of, simulated

AFTER: Final = 20  # results that have come when a worker dies


class Raising(logging.Logger):
    """Raises when it is told of some events, each time."""

    def __init__(self, *events: str) -> None:
        super().__init__("raising")
        self.events, self.raised = events, 0

    def handle(self, record: logging.LogRecord) -> None:
        if vars(record)["event"] in self.events:
            self.raised += 1
            raise OSError(record.getMessage())


def taken(farm: Farm, images: list[Path]) -> list[int]:
    """The ids of all results of a run that is called again each time a handler has raised."""
    run = farm.classify(images)
    ids: list[int] = []
    while True:
        try:
            result = next(run, None)
        except OSError:
            continue
        if result is None:
            return ids
        assert result.error is None
        ids.append(result.id)
        if len(ids) == AFTER:
            os.kill(children_of(os.getpid())[0], signal.SIGKILL)


@pytest.mark.usefixtures("short_back_off")
def test_what_a_dead_worker_held_is_classified_though_the_log_handler_raises(
    renders: list[Path],
) -> None:
    log = Raising("worker_died", "worker_back")
    with Farm(simulated(simulated={"service_ms": 3.0}), log=log) as farm:
        ids = taken(farm, renders * 3)
        assert farm.losses == 1
    assert sorted(ids) == list(range(len(renders) * 3))
    assert log.raised >= 1


def test_a_close_leaves_nothing_behind_though_the_log_handler_raises(
    run_dirs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = ForkServer.close
    monkeypatch.setattr(ForkServer, "close", lambda server: not close(server))
    farm = Farm(simulated(), log=Raising("fork_server_killed"))
    with pytest.raises(OSError, match="hung"), farm:
        coordinator = farm._up().coordinator
    assert coordinator._context.closed
    assert children_of(os.getpid()) == []
    assert list(run_dirs.iterdir()) == []
