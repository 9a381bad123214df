"""Sources read to their end, and the references they should have returned."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from farm.sources.base import Source
from workers.protocol.messages import FileRef


def touch(folder: Path, *names: str) -> list[Path]:
    """Make empty files below `folder`, and the folders they need."""
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return paths


def refs(*paths: Path | str | bytes) -> list[FileRef]:
    """Return a reference to each path."""
    encoded = map(os.fsencode, paths)
    return [FileRef(path, b"" if path.startswith(b"/") else os.getcwdb()) for path in encoded]


def take_all(source: Source, count: int = 3) -> list[Any]:
    """Take up to `count` at once until the source is exhausted, which it must stay."""
    taken = []
    while not source.exhausted:
        part = source.take(count)
        assert len(part) <= count
        taken += part
    assert source.take(count) == []
    return taken


def endlessly(source: Source, count: int) -> Iterator[Any]:
    """Give what a source gives, up to `count` taken at once, until it raises an error."""
    while True:
        yield from source.take(count)
