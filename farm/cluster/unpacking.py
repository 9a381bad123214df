"""What a board takes out of a parcel: an image's bytes, or its path where that is allowed."""

from __future__ import annotations

import os

from farm.cluster.messages import Data, Parcel, Shared, Stored
from farm.cluster.objects import Objects
from farm.cluster.shared_paths import SharedFolder
from workers.errors import ImageError
from workers.protocol.messages import ItemError


class Unpacker:
    """Unpacks parcels; it opens no path unless it has a `folder` that is shared.

    Of the hub's objects it takes none with more than `most_bytes`.
    """

    def __init__(self, folder: SharedFolder | None, objects: Objects, most_bytes: int) -> None:
        self._folder, self._objects, self._most_bytes = folder, objects, most_bytes

    async def unpack(self, parcel: Parcel) -> bytes | str | ItemError:
        """Return an image's bytes, or its path, as Farm.submit_soon takes them; or why not."""
        try:
            match parcel.source:
                case Data(data):
                    return data
                case Stored() as stored:
                    return await self._objects.get(stored, self._most_bytes)
                case Shared(path) if self._folder is not None:
                    return os.fsdecode(self._folder.resolved(path))
            raise ImageError("not_allowed", "this board opens no paths: see --by-path")
        except ImageError as error:
            return ItemError(error.kind, str(error))
