from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast
from unittest.mock import Mock

import pytest

from farm.cluster.messages import Data, Parcel, Shared, Stored
from farm.cluster.objects import Objects
from farm.cluster.shared_paths import SharedFolder
from farm.cluster.unpacking import Unpacked, Unpacker
from workers.errors import ImageError
from workers.protocol.messages import ItemError


def unpacker(folder: SharedFolder | None) -> Unpacker:
    return Unpacker(folder, Mock(Objects), 1000)


def unpacked(unpacker: Unpacker, source: Data | Shared) -> Unpacked:
    async def first() -> Unpacked:
        async with unpacker.unpacked([Parcel(1, b"a.jpg", source)]) as (item,):
            return item

    return asyncio.run(first())


def test_bytes_are_bytes() -> None:
    assert unpacked(unpacker(None), Data(b"jpeg")) == b"jpeg"


def test_a_path_is_one_of_the_boards_own_folder(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    there = unpacker(SharedFolder.at(tmp_path))
    assert unpacked(there, Shared(b"a.jpg")) == str(tmp_path.resolve() / "a.jpg")


def test_an_image_that_is_missing_is_so_here(tmp_path: Path) -> None:
    there = unpacker(SharedFolder.at(tmp_path))
    assert unpacked(there, Shared(b"a.jpg")) == ItemError("missing", "no such file")


def test_a_board_opens_no_path_unless_it_may(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    error = unpacked(unpacker(None), Shared(bytes(tmp_path / "a.jpg")))
    assert isinstance(error, ItemError)
    assert error.kind == "not_allowed"


@pytest.mark.parametrize(
    "path", [b"", b".", b"/etc/passwd", b"../a.jpg", b"b/../../a.jpg", b"b/./x", b"b//x"]
)
def test_what_is_not_below_the_folder_is_refused(tmp_path: Path, path: bytes) -> None:
    folder = tmp_path / "shared"
    (folder / "b").mkdir(parents=True)
    (tmp_path / "a.jpg").write_bytes(b"")
    error = unpacked(unpacker(SharedFolder.at(folder)), Shared(path))
    assert isinstance(error, ItemError)
    assert error.kind == "outside"


LARGE = Stored(f"{'ab' * 10}.{'cd' * 10}", 600, bytes(32))


class Store:
    """It has all objects."""

    async def get(self, stored: Stored, most: int) -> bytes:
        if stored.size > most:
            raise ImageError("too_large", "")
        return bytes(stored.size)


def test_no_more_is_fetched_at_a_time_than_there_is_room_for() -> None:
    """Of two jobs with 600 bytes each, and room for 1000, the second waits for the first."""
    began = []

    async def job(unpacker: Unpacker, number: int, end: asyncio.Event) -> None:
        async with unpacker.unpacked([Parcel(number, None, LARGE)]):
            began.append(number)
            await end.wait()

    async def both() -> None:
        unpacker = Unpacker(None, cast(Objects, Store()), 1000)
        end = asyncio.Event()
        jobs = [asyncio.ensure_future(job(unpacker, number, end)) for number in range(2)]
        await asyncio.sleep(0.05)
        assert began == [0]
        async with unpacker.unpacked([Parcel(2, None, Data(b"small"))]) as items:
            assert items == [b"small"]  # it waits for none of them
        end.set()
        await asyncio.gather(*jobs)
        assert began == [0, 1]

    asyncio.run(asyncio.wait_for(both(), 10))


def test_a_job_with_more_than_there_ever_is_room_for_is_refused_in_part() -> None:
    async def kinds() -> list[str]:
        unpacker = Unpacker(None, cast(Objects, Store()), 1000)
        parcels = [Parcel(number, None, LARGE) for number in range(3)]
        async with unpacker.unpacked(parcels) as items:
            return [each.kind if isinstance(each, ItemError) else "bytes" for each in items]

    assert asyncio.run(kinds()) == ["bytes", "too_large", "too_large"]
