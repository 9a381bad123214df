"""A file that appears whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from farm.errors import OutputError


@contextmanager
def atomic_write(path: Path, flag: str) -> Iterator[Path]:
    """Give a name beside `path` to write to; what is there in the end becomes `path`.

    Made at once, so that a folder that can't be written is known before the work; nothing becomes
    of it if the block fails, or leaves it empty. A pipe or a device is written to as it is.
    Raises OutputError, which names the `flag`.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        yield path
        return
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if path.is_dir():
            raise IsADirectoryError(None, "Is a directory")
        part.open("xb").close()
    except OSError as error:
        raise OutputError(f"{flag} {path}: can't be made: {error.strerror}") from error
    try:
        yield part
        if part.stat().st_size:
            part.replace(path)
    except OSError as error:
        raise OutputError(f"{flag} {path}: can't be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
