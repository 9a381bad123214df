"""What a sender puts into a parcel."""

from __future__ import annotations

import asyncio
from pathlib import Path

from farm.cluster.messages import Data, Parcel
from farm.cluster.packing import Packer
from farm.sources.base import Ref, path_ref
from workers.protocol.messages import ItemError, Refused


def packed(ref: Ref, most: int = 100) -> Parcel | ItemError:
    return asyncio.run(Packer(most).pack(7, ref))


def test_an_image_is_packed_as_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"image")
    path = tmp_path / "a.jpg"
    assert packed(path_ref(path)) == Parcel(7, bytes(path), Data(b"image"))


def test_what_can_not_be_read_is_an_error_of_the_same_kind_as_a_workers(tmp_path: Path) -> None:
    (tmp_path / "large.jpg").write_bytes(bytes(101))
    kinds = {
        "missing": path_ref(tmp_path / "none.jpg"),
        "not_a_file": path_ref(tmp_path),
        "too_large": path_ref(tmp_path / "large.jpg"),
        "refused": Refused("refused", "why", None),
    }
    for kind, ref in kinds.items():
        error = packed(ref)
        assert isinstance(error, ItemError)
        assert error.kind == kind
