"""What all tests share."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.scheduler import lifecycle
from farm.sources.renders import write_renders
from tests.helpers.support import SHARED_DATA, once


def pytest_configure() -> None:
    """Heed what `&` or `nohup` ignore: the programs that tests start would ignore it, too."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if SHARED_DATA.is_dir():
        return
    skip = pytest.mark.skip(reason="no ../shared/data here: the real photos and model are optional")
    for item in items:
        if item.get_closest_marker("data"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def renders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """72 renders, two of each character."""

    def make(folder: Path) -> None:
        write_renders(folder, count=72, seed=11)

    return sorted(once(tmp_path_factory, "renders", make).iterdir())


@pytest.fixture
def run_dirs(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """The folder in which farms of this test put their run directories."""
    tmp_path_factory.getbasetemp()  # made now, so that it is not made in here
    with tempfile.TemporaryDirectory() as folder:  # tmp_path would be too long for sockets
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr("tempfile.tempdir", None)
        yield Path(folder)


@pytest.fixture
def short_back_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that die again and again are started again soon: what follows comes sooner."""
    monkeypatch.setattr("farm.scheduler.lifecycle.LONGEST_BACK_OFF", lifecycle.FIRST_BACK_OFF)
