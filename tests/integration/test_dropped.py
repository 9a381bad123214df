"""Farms that are dropped without leaving a `with` block, as in notebooks: they end like files."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

from farm.api import Farm
from tests.helpers.support import children_of, simulated, wait_for


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_a_farm_that_is_dropped_leaves_nothing_and_warns(run_dirs: Path) -> None:
    files = open_files()
    farm = Farm(simulated())
    farm.__enter__()
    assert len(children_of(os.getpid())) == 3
    with pytest.warns(ResourceWarning, match="with"):
        del farm
        gc.collect()
    assert wait_for(lambda: children_of(os.getpid()) == [])
    assert wait_for(lambda: list(run_dirs.iterdir()) == [])
    assert wait_for(lambda: open_files() == files)


def test_a_run_keeps_its_farm_up_that_is_dropped(renders: list[Path], run_dirs: Path) -> None:
    run = Farm(simulated()).__enter__().classify(renders)
    gc.collect()
    assert len(list(run)) == len(renders)
    with pytest.warns(ResourceWarning, match="with"):
        del run
        gc.collect()
    assert wait_for(lambda: list(run_dirs.iterdir()) == [])
