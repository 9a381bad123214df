from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import cast

import pytest

from farm.cluster.messages import Data, Parcel, Shared, Stored
from farm.cluster.objects import Objects
from farm.cluster.packing import LARGE_AT_ONCE, Packer, Packing
from farm.cluster.shared_paths import SharedFolder
from farm.sources.base import path_ref
from tests.unit.farm.cluster.test_shrinking import photo
from workers.protocol.messages import ItemError, Refused

RUN, NAME = "ab" * 10, f"{'ab' * 10}.{'cd' * 10}"
ROOM = 1000
PLAIN = Packing(most_bytes=10_000)


class Store:
    """Objects that keeps nothing but what it was told; `busy` is how many it stored at once."""

    def __init__(self) -> None:
        self.deleted: list[str] = []
        self.now = self.busy = 0

    async def put(self, run: str, data: bytes) -> Stored:
        self.now += 1
        self.busy = max(self.busy, self.now)
        await asyncio.sleep(0.01)
        self.now -= 1
        assert run == RUN
        return Stored(NAME, len(data), bytes(32))

    async def delete(self, stored: Stored) -> None:
        self.deleted.append(stored.name)

    async def delete_run(self, run: str) -> None:
        self.deleted.append(run)


def packer(packing: Packing, store: Store | None = None, room: int = ROOM) -> Packer:
    return Packer(packing, cast(Objects, store or Store()), run=RUN, room=room)


def packed(packing: Packing, path: Path) -> Parcel | ItemError:
    return asyncio.run(packer(packing).pack(7, path_ref(path)))


def file(folder: Path, data: bytes) -> Path:
    path = folder / "a\udcff.jpg"
    path.write_bytes(data)
    return path


def test_an_image_travels_as_its_bytes(tmp_path: Path) -> None:
    path = file(tmp_path, bytes(ROOM))
    assert packed(PLAIN, path) == Parcel(7, os.fsencode(path), Data(bytes(ROOM)))


def test_what_no_message_has_room_for_is_stored(tmp_path: Path) -> None:
    path = file(tmp_path, bytes(ROOM + 1))
    assert packed(PLAIN, path) == Parcel(7, os.fsencode(path), Stored(NAME, ROOM + 1, bytes(32)))


def test_a_path_below_the_shared_folder_travels_alone(tmp_path: Path) -> None:
    (tmp_path / "day").mkdir()
    path = file(tmp_path / "day", b"1")
    by_path = Packing(folder=SharedFolder.at(tmp_path), most_bytes=10)
    assert packed(by_path, path) == Parcel(7, os.fsencode(path), Shared(b"day/a\xff.jpg"))


def test_an_image_beside_the_shared_folder_is_an_error_here(tmp_path: Path) -> None:
    (tmp_path / "day").mkdir()
    by_path = Packing(folder=SharedFolder.at(tmp_path / "day"), most_bytes=10)
    error = packed(by_path, file(tmp_path, b"1"))
    assert isinstance(error, ItemError)
    assert error.kind == "outside"
    assert str(tmp_path / "day") in error.message


@pytest.mark.parametrize("packing", [PLAIN, Packing(longest=10, most_bytes=10_000)])
def test_what_cannot_be_read_is_an_error_as_on_a_board(tmp_path: Path, packing: Packing) -> None:
    def kind(ref: Path | Refused) -> str:
        given = ref if isinstance(ref, Refused) else path_ref(ref)
        error = asyncio.run(packer(packing).pack(7, given))
        assert isinstance(error, ItemError)
        return error.kind

    assert kind(tmp_path / "none") == "missing"
    assert kind(tmp_path) == "not_a_file"
    assert kind(Path("/dev/zero")) == "not_a_file"
    assert kind(file(tmp_path, bytes(10_001))) == "too_large"
    assert kind(Refused("unreadable", "", None)) == "unreadable"


def test_a_large_image_travels_smaller(tmp_path: Path) -> None:
    parcel = packed(Packing(longest=50, most_bytes=1 << 20), file(tmp_path, photo()))
    assert isinstance(parcel, Parcel)
    assert parcel.full_size == (400, 300)
    assert isinstance(parcel.source, Data | Stored)
    small = packed(Packing(longest=400, most_bytes=1 << 20), file(tmp_path, photo()))
    assert isinstance(small, Parcel)
    assert small.full_size is None


def test_a_smaller_image_that_has_more_bytes_is_stored(tmp_path: Path) -> None:
    data = photo(quality=20)
    packing = Packing(longest=399, most_bytes=1 << 20)
    one = packer(packing, room=len(data))
    parcel = asyncio.run(one.pack(7, path_ref(file(tmp_path, data))))
    assert isinstance(parcel, Parcel)
    assert isinstance(parcel.source, Stored)
    assert parcel.full_size == (400, 300)


def test_few_large_images_are_in_memory_at_a_time(tmp_path: Path) -> None:
    async def all_packed(store: Store) -> None:
        one, ref = packer(PLAIN, store), path_ref(file(tmp_path, bytes(ROOM + 1)))
        await asyncio.gather(*(one.pack(number, ref) for number in range(20)))

    store = Store()
    asyncio.run(all_packed(store))
    assert store.busy == LARGE_AT_ONCE


def test_what_is_stored_is_taken_away(tmp_path: Path) -> None:
    async def work(store: Store) -> None:
        one = packer(PLAIN, store)
        await one.take_away_all()
        for number, size in enumerate((ROOM, ROOM + 1, ROOM + 1)):
            await one.pack(number, path_ref(file(tmp_path, bytes(size))))
        assert one.done([0, 5]) == []
        (first,) = one.done([0, 1])
        await one.take_away(first)
        assert one.done([1]) == []
        await one.take_away_all()

    store = Store()
    asyncio.run(work(store))
    assert store.deleted == [NAME, RUN]
