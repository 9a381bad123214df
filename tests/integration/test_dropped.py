"""Farms that are dropped without leaving a `with` block, as in notebooks: they end like files."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import pytest

from farm.api import Farm
from tests.helpers.support import children_of, simulated, wait_for


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_a_farm_that_is_dropped_leaves_nothing_and_warns(run_dirs: Path) -> None:
    files, farms = open_files(), [Farm(simulated()).__enter__()]
    assert len(children_of(os.getpid())) == 3
    with pytest.warns(ResourceWarning, match="with"):
        farms.clear()
    assert wait_for(lambda: children_of(os.getpid()) == [])
    assert wait_for(lambda: list(run_dirs.iterdir()) == [])
    assert wait_for(lambda: open_files() == files)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_farm_ends_its_workers_where_warnings_are_errors(run_dirs: Path) -> None:
    farms = [Farm(simulated()).__enter__()]
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        farms.clear()
    assert wait_for(lambda: children_of(os.getpid()) == [])
    assert wait_for(lambda: list(run_dirs.iterdir()) == [])


def test_a_run_keeps_its_farm_up_that_is_dropped(renders: list[Path], run_dirs: Path) -> None:
    runs = [Farm(simulated()).__enter__().classify(renders)]
    assert len(list(runs[0])) == len(renders)
    with pytest.warns(ResourceWarning, match="with"):
        runs.clear()
    assert wait_for(lambda: list(run_dirs.iterdir()) == [])
