"""What a sender puts into a parcel: an image's bytes."""

from __future__ import annotations

import asyncio
import os

from farm.cluster.messages import Data, Parcel
from farm.sources.base import Ref
from workers.errors import ImageError
from workers.images.file_reader import read
from workers.protocol.messages import FileRef, ItemError, Refused


class Packer:
    """Packs images; none may have more than `most_bytes`."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes

    async def pack(self, number: int, ref: Ref) -> Parcel | ItemError:
        """Return the parcel of the image with this number, or why there is none."""
        match ref:
            case FileRef(path, folder):
                try:
                    data = await asyncio.to_thread(
                        read, os.path.join(folder, path), self._most_bytes
                    )
                except ImageError as error:
                    return ItemError(error.kind, str(error))
                return Parcel(number, path, Data(data))
            case Refused(kind, message):
                return ItemError(kind, message)
        raise TypeError(f"{type(ref).__name__}: a hub is sent files alone")
