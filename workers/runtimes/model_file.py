"""Which content a runtime has opened, whoever writes to the model's file meanwhile."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from workers.errors import RuntimeFailure
from workers.protocol import startup as steps

BLOCK_BYTES: Final = 1 << 20


@contextmanager
def opening(model: str) -> Iterator[str]:
    """Give the digest of a model's file to a block in which a runtime opens it.

    A runtime reads the file by itself. So what it has read is known only of a file that has the
    same content before and after. Raises RuntimeFailure for another one, and for a file that can't
    be read.
    """
    steps.begin(f"opening {model}")
    before = digest_of(model)
    yield before
    if digest_of(model) != before:
        raise RuntimeFailure(f"{model} was changed while it was opened")


def digest_of(model: str) -> str:
    """Return the SHA-256 of a file's content in hexadecimal digits; raises RuntimeFailure."""
    found = hashlib.sha256()
    try:
        with open(model, "rb", buffering=0) as file:
            while block := file.read(BLOCK_BYTES):  # a model may be larger than the free memory
                found.update(block)
    except OSError as error:
        raise _unreadable(model, error) from error
    return found.hexdigest()


def read(model: str) -> bytes:
    """Return a file's content; raises RuntimeFailure."""
    try:
        return Path(model).read_bytes()
    except OSError as error:
        raise _unreadable(model, error) from error


def _unreadable(model: str, error: OSError) -> RuntimeFailure:
    return RuntimeFailure(f"{model}: cannot read the model: {error.strerror}")
