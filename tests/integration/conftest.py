"""What tests with real processes share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.programs import Programs
from tests.helpers.stage import Stage
from tests.helpers.support import FAULTS, VENDOR, children_of


@pytest.fixture
def folder(renders: list[Path]) -> str:
    """The folder of the renders."""
    return str(renders[0].parent)


@pytest.fixture
def programs() -> Iterator[Programs]:
    """Starts programs; those that still run are ended with the test."""
    programs = Programs()
    yield programs
    programs.end()


@pytest.fixture
def stage(
    tmp_path: Path, renders: list[Path], monkeypatch: pytest.MonkeyPatch, run_dirs: Path
) -> Iterator[Stage]:
    stage = Stage(tmp_path, renders)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(FAULTS), str(VENDOR)]))
    monkeypatch.setenv("FAULTS", str(stage.faults))
    stage.hurry(monkeypatch)
    yield stage
    assert children_of(os.getpid()) == []
    assert list(run_dirs.iterdir()) == []
