"""A file that appears whole or not at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from farm.errors import OutputError

LONGEST: Final = 50  # characters of 4 bytes at most: a file's name takes 255


@contextmanager
def atomic_write(path: Path, flag: str) -> Iterator[Path]:
    """Yield a temporary file beside `path` that replaces it at the end of the block.

    It is made at once, so that a folder without write permission is reported before the work.
    If the block raises, or leaves it empty, `path` stays as it was. A pipe or a device is yielded
    as it is. Raises OutputError, which names the `flag`.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        try:
            yield path
        except OSError as error:
            raise OutputError(f"{flag} {path}: cannot write to it: {error.strerror}") from error
        return
    # Of the thread's number there is one on a machine; a name may be as long as can be already.
    part = path.with_name(f".{path.name[:LONGEST]}.{threading.get_native_id()}.part")
    try:
        if path.is_dir():
            raise IsADirectoryError(None, "Is a directory")
        part.open("xb").close()
    except OSError as error:
        raise OutputError(f"{flag} {path}: cannot create the file: {error.strerror}") from error
    try:
        yield part
        if part.stat().st_size:
            part.replace(path)
    except OSError as error:
        raise OutputError(f"{flag} {path}: cannot write the file: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
