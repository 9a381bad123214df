"""A file that appears whole or not at all."""

from __future__ import annotations

import errno
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from farm.errors import OutputError

PART: Final = ".part"  # of the names of temporary files
LEFT: Final = re.compile(r"\..+\.[0-9a-f]{8}\.part", re.DOTALL)
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
    # A process's number would come again: in a container, each run has the same one, and what a
    # killed one has left would be in the way. A name may be as long as can be already.
    part = path.with_name(f".{path.name[:LONGEST]}.{secrets.token_hex(4)}{PART}")
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "Is a directory")
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


def remove_left(folder: Path) -> None:
    """Remove the temporary files that killed programs have left in and below a folder.

    Nobody may be writing there.
    """
    for left in folder.rglob(f".*{PART}"):
        if LEFT.fullmatch(left.name):
            with suppress(OSError):
                left.unlink()
