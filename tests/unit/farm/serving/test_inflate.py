"""Compressed bodies come out as they went in, and never larger than the limit."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib

import pytest

from farm.serving.inflate import inflate, inflated
from farm.serving.service import RequestError

PLAIN = b"a body" * 1000
COMPRESSED = {"gzip": gzip.compress(PLAIN), "deflate": zlib.compress(PLAIN)}


@pytest.mark.parametrize("encoding", COMPRESSED)
def test_a_body_comes_out_as_it_went_in(encoding: str) -> None:
    assert asyncio.run(inflated(COMPRESSED[encoding], encoding.upper(), len(PLAIN))) == PLAIN


def test_identity_is_no_compression() -> None:
    assert asyncio.run(inflated(PLAIN, "identity", 1)) == PLAIN


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", ""])
def test_another_encoding_is_refused(encoding: str) -> None:
    with pytest.raises(RequestError, match="use gzip or deflate, or none") as refused:
        asyncio.run(inflated(PLAIN, encoding, len(PLAIN)))
    assert refused.value.status == 415


def test_a_bomb_is_refused_before_it_bursts() -> None:
    bomb = zlib.compress(bytes(64 << 20), 9)
    tracemalloc.start()
    try:
        with pytest.raises(RequestError, match="more than 1048576 bytes") as refused:
            inflate(bomb, 1 << 20)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert refused.value.status == 413


@pytest.mark.parametrize("encoding", COMPRESSED)
@pytest.mark.parametrize(
    "broken",
    [
        lambda _: b"",
        lambda data: data[:-1],
        lambda data: data + b"more",
        lambda data: data[:20] + bytes([data[20] ^ 255]) + data[21:],
        lambda _: b"no compression",
    ],
)
def test_damage_is_refused(encoding: str, broken: object) -> None:
    assert callable(broken)
    with pytest.raises(RequestError, match="compressed body") as refused:
        inflate(broken(COMPRESSED[encoding]), len(PLAIN))
    assert refused.value.status == 400
