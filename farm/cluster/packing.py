"""What a sender puts into a parcel: an image's bytes, where they are, or its path."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from farm.cluster.messages import Data, Parcel, Shared, Stored
from farm.cluster.objects import Objects
from farm.cluster.shared_paths import SharedFolder
from farm.sources.base import Ref
from workers.errors import ImageError
from workers.images.file_reader import read
from workers.images.sizes import Size
from workers.protocol.messages import FileRef, ItemError, Refused

LARGE_AT_ONCE: Final = 4  # images that no message has room for, each in memory whole
Loaded = tuple[bytes, Size | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    """How images travel: by their paths below `folder`; or as bytes, then with no side longer than
    `longest` pixels. None is neither. None may have more than `most_bytes`.
    """

    folder: SharedFolder | None = None
    longest: int | None = None
    most_bytes: int


class Packer:
    """Packs a run's images as `packing` says; a message has room for `room` bytes of an image."""

    def __init__(self, packing: Packing, objects: Objects, *, run: str, room: int) -> None:
        self._packing, self._objects, self._run, self._room = packing, objects, run, room
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)
        self._stored: dict[int, Stored] = {}
        self._has_stored = False

    async def pack(self, number: int, ref: Ref) -> Parcel | ItemError:
        """Return the parcel of the image with this number, or why there is none."""
        match ref:
            case FileRef(path, folder):
                try:
                    return await self._pack_file(number, path, os.path.join(folder, path))
                except ImageError as error:
                    return ItemError(error.kind, str(error))
            case Refused(kind, message):
                return ItemError(kind, message)
        raise TypeError(f"{type(ref).__name__}: a hub is sent files alone")

    def done(self, numbers: Iterable[int]) -> list[Stored]:
        """Return what is in the hub's store of the images with these numbers: they have results."""
        if not self._stored:
            return []
        found = [self._stored.pop(each, None) for each in numbers]
        return [each for each in found if each is not None]

    async def take_away(self, stored: Stored) -> None:
        """Make room in the hub."""
        await self._objects.delete(stored)

    async def take_away_all(self) -> None:
        """Make room in the hub: nothing of this run is wanted any more."""
        if self._has_stored:
            await self._objects.delete_run(self._run)

    async def _pack_file(self, number: int, name: bytes, path: bytes) -> Parcel:
        if self._packing.folder is not None:
            below = await asyncio.to_thread(self._packing.folder.below, path)
            return Parcel(number, name, Shared(below))
        found = await asyncio.to_thread(self._load_small, path)
        if found is not None:
            return Parcel(number, name, Data(found[0]), found[1])
        async with self._large:
            data, size = await asyncio.to_thread(self._load, path)
            if len(data) <= self._room:  # by now
                return Parcel(number, name, Data(data), size)
            self._has_stored = True
            self._stored[number] = stored = await self._objects.put(self._run, data)
        return Parcel(number, name, stored, size)

    def _load_small(self, path: bytes) -> Loaded | None:
        """Return what `_load` does; None for what no message has room for."""
        with suppress(OSError, ValueError):  # which reading it says better
            if os.stat(path).st_size > self._room:
                return None
        data, size = self._load(path)  # a smaller image may have more bytes than its file
        return (data, size) if len(data) <= self._room else None

    def _load(self, path: bytes) -> Loaded:
        """Return the bytes to send of an image, and its own size if it was made smaller."""
        data = read(path, self._packing.most_bytes)
        if self._packing.longest is None:
            return data, None
        from farm.cluster.shrinking import shrunk  # OpenCV, which nothing else needs here

        return shrunk(data, self._packing.longest) or (data, None)
