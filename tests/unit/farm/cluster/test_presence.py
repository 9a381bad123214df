from __future__ import annotations

import msgspec
import pytest

from farm.cluster.presence import Presence, decode, encode, presence_of
from farm.errors import HubError
from tests.helpers.snapshots import a_snapshot
from tests.unit.farm.cluster.test_offer import OFFER

WHO = Presence(
    id="rock-1",
    board="rock",
    started=1.0,
    at=2.0,
    offer=OFFER,
    size=3,
    rate=0.0,
    ok=0,
    failed=0,
    held=0,
    window=48,
    npu_load=None,
    hottest=None,
    memory_mb=0.0,
    available_mb=0.0,
)


def test_it_comes_back_equal() -> None:
    assert decode(encode(WHO)) == WHO


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        encode(msgspec.structs.replace(WHO, version=2)),
        encode(msgspec.structs.replace(WHO, board="x" * 257)),
        encode(WHO).replace(b'"rate":0.0', b'"rate":"much"'),
    ],
)
def test_what_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(HubError):
        decode(data)


def test_it_shows_what_its_farm_shows() -> None:
    snapshot = a_snapshot()
    assert snapshot.farm is not None
    now = presence_of(WHO, snapshot, held=5, window=64)
    assert (now.held, now.window, now.board) == (5, 64, "rock")
    assert (now.at, now.rate, now.ok) == (snapshot.at, snapshot.farm.rate, snapshot.farm.ok)
    assert now.failed == sum(snapshot.farm.failures.values())
    assert now.npu_load == snapshot.farm.npu_load
