from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import zmq

from farm.errors import SnapshotError
from farm.watch import watcher
from farm.watch.snapshot import Snapshot, encode
from farm.watch.watcher import Watcher
from tests.helpers.snapshots import a_snapshot


class Farms:
    """What publishes as farms do; `alive` are those that are found."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._publishers: dict[str, zmq.Socket[bytes]] = {}
        self.alive: list[str] = []

    def start(self, name: str) -> str:
        address = f"ipc://{self._folder}/{name}"
        self._publishers[address] = self._context.socket(zmq.XPUB)
        self._publishers[address].bind(address)
        self.alive.append(address)
        return address

    def says(self, address: str, pid: int, seen_by: Watcher, data: bytes = b"") -> None:
        """Send a farm's snapshot, or something else, until the watcher has taken it in."""
        while shown(seen_by) != pid:
            self._publishers[address].send(data or encode(of(pid)))
            seen_by.wait(())

    def end(self) -> None:
        self._context.destroy(linger=0)


@pytest.fixture
def farms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Farms]:
    made = Farms(tmp_path)
    monkeypatch.setattr(watcher, "running", lambda: list(made.alive))
    monkeypatch.setattr(watcher, "SECOND", 0.02)
    monkeypatch.setattr(watcher, "FIRST_SECONDS", 0.0)
    yield made
    made.end()


def of(pid: int) -> Snapshot:
    return a_snapshot(pid=pid)


def shown(seen_by: Watcher) -> int | None:
    farm = seen_by.view(0).snapshot.farm
    return None if farm is None else farm.pid


def test_without_a_farm_a_board_is_seen_until_one_starts(farms: Farms) -> None:
    with closing(Watcher(None, follow=True)) as seen:
        seen.wait(())
        assert shown(seen) is None
        assert "no farm runs here" in seen.view(0).note
        farm = farms.start("1")
        farms.says(farm, 1, seen)
        assert shown(seen) == 1


def test_the_last_of_a_farm_stays_until_a_new_one_starts(farms: Farms) -> None:
    first, other = farms.start("1"), farms.start("2")
    with closing(Watcher(first, follow=True)) as seen:
        farms.says(first, 1, seen)
        farms.alive.remove(first)
        while "ended" not in seen.view(0).note:
            seen.wait(())
        assert farms.alive == [other]
        for _ in range(2):  # it ran already
            seen.wait(())
        assert (shown(seen), seen.over) == (1, False)
        third = farms.start("3")
        farms.says(third, 3, seen)
        assert shown(seen) == 3
        assert "ended" not in seen.view(0).note


def test_the_end_of_a_farm_that_is_not_followed_is_the_end(farms: Farms) -> None:
    farm = farms.start("1")
    with closing(Watcher(farm, follow=False)) as seen:
        farms.says(farm, 1, seen)
        farms.alive.clear()
        while not seen.over:
            seen.wait(())
        assert shown(seen) == 1


def test_a_farm_that_has_shown_nothing_is_told_apart_from_none(farms: Farms) -> None:
    with closing(Watcher(farms.start("77"), follow=True)) as seen:
        seen.wait(())
        assert shown(seen) is None
        assert "nothing yet" in seen.view(0).note


def test_a_snapshot_gets_old(farms: Farms) -> None:
    farm = farms.start("1")
    with closing(Watcher(farm, follow=True)) as seen:
        farms.says(farm, 1, seen)
        at = of(1).at
        assert seen.view(at + 2.9).note == ""
        assert "12 s" in seen.view(at + 12).note


def test_a_farm_of_another_version_is_an_error(farms: Farms) -> None:
    farm = farms.start("1")
    with closing(Watcher(farm, follow=True)) as seen, pytest.raises(SnapshotError, match="version"):
        farms.says(farm, 1, seen, b'{"version":99}')


def test_a_descriptor_ends_the_wait(farms: Farms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "SECOND", 3600.0)
    assert farms.alive == []
    with closing(Watcher(None, follow=True)) as seen:
        reader, writer = os.pipe()
        os.write(writer, b"q")
        seen.wait((reader,))
        os.close(reader)
        os.close(writer)
