"""What a board takes out of parcels: images' bytes, or their paths where that is allowed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from farm.cluster.messages import Data, Parcel, Shared, Stored
from farm.cluster.objects import Objects
from farm.cluster.shared_paths import SharedFolder
from workers.errors import ImageError
from workers.protocol.messages import ItemError

Unpacked = bytes | str | ItemError


class Unpacker:
    """Unpacks parcels; it opens no path unless it has a `folder` that is shared.

    Of the hub's objects it holds no more than `most_bytes` at a time, which is that of the largest
    image.
    """

    def __init__(self, folder: SharedFolder | None, objects: Objects, most_bytes: int) -> None:
        self._folder, self._objects, self._most_bytes = folder, objects, most_bytes
        self._left = most_bytes
        self._turn, self._returned = asyncio.Lock(), asyncio.Event()

    @asynccontextmanager
    async def unpacked(self, parcels: Sequence[Parcel]) -> AsyncIterator[list[Unpacked]]:
        """Hold, for the block, the images of a job as Farm.submit_soon takes them; or why not.

        Waits until there is room for what it has in the hub's store.
        """
        stored = sum(each.source.size for each in parcels if isinstance(each.source, Stored))
        size = min(stored, self._most_bytes)
        if size:
            async with self._turn:  # a large one is not passed by small ones for ever
                while self._left < size:
                    self._returned.clear()
                    await self._returned.wait()
                self._left -= size
        try:
            yield await self._unpack_all(parcels)
        finally:
            self._left += size
            self._returned.set()

    async def _unpack_all(self, parcels: Sequence[Parcel]) -> list[Unpacked]:
        shared = [each.source.path for each in parcels if isinstance(each.source, Shared)]
        # In another thread, once for all: a file system of the network may not answer for long.
        paths = iter(await asyncio.to_thread(self._find, shared) if shared else ())
        items, left = list[Unpacked](), self._most_bytes
        for parcel in parcels:
            match parcel.source:
                case Data(data):
                    items.append(data)
                case Shared():
                    items.append(next(paths))
                case Stored() as stored:
                    items.append(await self._fetch(stored, left))
                    left -= stored.size if isinstance(items[-1], bytes) else 0
        return items

    def _find(self, paths: Sequence[bytes]) -> list[Unpacked]:
        if self._folder is None:
            return [ItemError("not_allowed", "this board opens no paths: see --by-path")] * len(
                paths
            )
        found = list[Unpacked]()
        for path in paths:
            try:
                found.append(os.fsdecode(self._folder.resolved(path)))
            except ImageError as error:
                found.append(ItemError(error.kind, str(error)))
        return found

    async def _fetch(self, stored: Stored, most_bytes: int) -> bytes | ItemError:
        try:
            return await self._objects.get(stored, most_bytes)
        except ImageError as error:
            return ItemError(error.kind, str(error))
