from __future__ import annotations

import json

import pytest

from farm.errors import SnapshotError
from farm.watch.snapshot import VERSION, Snapshot, decode, encode
from tests.helpers.snapshots import a_snapshot


def test_a_snapshot_survives_its_way() -> None:
    snapshot = a_snapshot()
    assert decode(encode(snapshot)) == snapshot


def test_a_board_without_a_farm_survives_it_too() -> None:
    board = Snapshot(at=1.0, farm=None, board=a_snapshot().board)
    assert decode(encode(board)) == board


@pytest.mark.parametrize("data", [b"", b"null", b"{}", b'{"version": 1}', b'{"version": "x"}'])
def test_what_is_no_snapshot_is_refused(data: bytes) -> None:
    with pytest.raises(SnapshotError):
        decode(data)


def test_another_version_is_named() -> None:
    later = {**json.loads(encode(a_snapshot())), "version": VERSION + 1}
    with pytest.raises(SnapshotError, match=str(VERSION + 1)):
        decode(json.dumps(later).encode())


def test_what_a_later_farm_adds_is_left_out() -> None:
    snapshot = a_snapshot()
    later = {**json.loads(encode(snapshot)), "added": [1]}
    assert decode(json.dumps(later).encode()) == snapshot
