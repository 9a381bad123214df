"""Compressed bodies: gzip, deflate; no larger than a limit."""

from __future__ import annotations

import asyncio
import zlib
from typing import Final

from farm.serving.service import RequestError

ENCODINGS: Final = ("gzip", "deflate")
EITHER: Final = zlib.MAX_WBITS | 32  # of a gzip's head or zlib's, which `deflate` means


async def inflated(body: bytes, encoding: str, most: int) -> bytes:
    """Return a body without its Content-Encoding; raise RequestError above `most` bytes.

    The event loop goes on meanwhile.
    """
    if encoding.strip().lower() == "identity":
        return body
    if encoding.strip().lower() not in ENCODINGS:
        message = f"Content-Encoding: {encoding[:40]!r}: use {' or '.join(ENCODINGS)}, or none"
        raise RequestError(415, "unknown_encoding", message)
    return await asyncio.to_thread(inflate, body, most)


def inflate(body: bytes, most: int) -> bytes:
    """Return what was compressed; raise RequestError for more than `most` bytes, and for damage."""
    stream = zlib.decompressobj(EITHER)
    try:
        plain = stream.decompress(body, most + 1)
    except zlib.error as error:
        raise RequestError(400, "invalid", f"the compressed body is damaged: {error}") from error
    if len(plain) > most:
        message = f"the body has more than {most} bytes once it is decompressed"
        raise RequestError(413, "too_large", message)
    if not stream.eof or stream.unused_data:
        raise RequestError(
            400, "invalid", "the compressed body is cut short, or has bytes after it"
        )
    return plain
