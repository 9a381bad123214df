"""PNGs as still pictures: cv2.imdecode would play an animation, cv2.imread does not.

Playing one has other faults: frames of too few rows show unwritten memory, and some files crash it.
"""

from __future__ import annotations

from typing import Final

from workers.images.headers import PNG_MAGIC

ANIMATION: Final = frozenset(
    {b"acTL", b"fcTL", b"fdAT"}
)  # chunks of APNG (PNG 3rd edition, 11.3.6)
AROUND: Final = 12  # bytes of a chunk beside its data: length, type, checksum


def default_picture(data: bytes) -> bytes:
    """Return an image file without a PNG's animation; any other file as it is.

    The default picture is what programs show that know no APNG; it may be none of the frames.
    """
    if not data.startswith(PNG_MAGIC):
        return data
    kept, start, at = [], 0, len(PNG_MAGIC)
    while at + AROUND <= len(data):
        end = at + AROUND + int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] in ANIMATION:
            kept.append(data[start:at])
            start = end
        at = end
    return b"".join((*kept, data[start:])) if kept else data
