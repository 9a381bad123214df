"""What a farm is given as it starts: a config's limits, and the machine's where it says none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from farm.coordinator import startup as start
from farm.coordinator.limits import Limits
from farm.coordinator.run_dir import RunDir
from farm.system.log import SILENT
from tests.helpers.support import simulated

MACHINE_MB = 16384


class Noted:
    """A coordinator that only notes what it is given, and starts nobody."""

    def __init__(self, _specs: object, run_dir: RunDir, limits: Limits, _tell: object) -> None:
        self.limits = limits
        run_dir.remove()


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine has MACHINE_MB of memory."""
    memory = SimpleNamespace(total=MACHINE_MB * 2**20)
    monkeypatch.setattr("psutil.virtual_memory", lambda: memory)
    monkeypatch.setattr(start, "Coordinator", Noted)


def limits(**changes: Any) -> Limits:
    _, coordinator = start.prepare(simulated(**changes), SILENT)
    assert isinstance(coordinator, Noted)
    return coordinator.limits


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize(("size", "share"), [(1, 8192), (3, 4096), (15, 1024)])
def test_each_worker_may_have_as_much_memory_as_the_others_and_the_coordinator(
    size: int, share: int
) -> None:
    assert limits(size=size).worker_mb == share


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("said", [1, 250, 2 * MACHINE_MB])
def test_a_worker_may_have_the_memory_that_the_config_says(said: int) -> None:
    assert limits(max_worker_mb=said).worker_mb == said
