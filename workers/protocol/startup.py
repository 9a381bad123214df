"""What passes through a worker's pipes: its WorkerInit in, its steps out; at times LEAVE in.

The steps go to standard error. A write to that pipe is done before the next call begins, so the
coordinator knows the last step even of a worker that this call killed, or in which it hangs.
"""

from __future__ import annotations

import os
from typing import Final

from workers.errors import WireError
from workers.protocol.messages import WorkerInit, decode, encode

LENGTH_BYTES: Final = 4
MARK: Final = b"npu-farm step: "
SELF_TEST: Final = "the self-test"
REPORT: Final = "its ready message"
WORK: Final = "work"  # the start is over; the worker does not announce it: its Ready has come
TESTED: Final = frozenset({SELF_TEST, REPORT})  # within the time for the self-test
STDERR: Final = 2
# For a worker that can't be signalled. A pipe that ends without it: the coordinator is gone.
LEAVE: Final = b"leave"


def pack_init(init: WorkerInit) -> bytes:
    """Return the bytes that `read_init` reads: a length in LENGTH_BYTES (big-endian), a message."""
    data = encode(init)
    return len(data).to_bytes(LENGTH_BYTES, "big") + data


def read_init(fd: int) -> WorkerInit:
    """Read one WorkerInit from `fd`, and no byte more; raise WireError if there is none."""
    data, wanted = b"", LENGTH_BYTES
    while len(data) < wanted:
        part = os.read(fd, wanted - len(data))
        if not part:
            raise WireError("no worker's description on standard input")
        data += part
        if len(data) == LENGTH_BYTES:
            wanted += int.from_bytes(data, "big")
    message = decode(data[LENGTH_BYTES:])
    if not isinstance(message, WorkerInit):
        raise WireError(f"expected a WorkerInit, got a {type(message).__name__}")
    return message


def begin(step: str) -> None:
    """Announce that the worker now begins `step`, one line of text."""
    # Libraries print there, too, and not always whole lines: hence the line's end before it.
    os.write(STDERR, b"\n" + MARK + step.encode("utf-8", "backslashreplace") + b"\n")


def split(line: bytes) -> str | None:
    """Return the step that a line of a worker's output announces, None for any other line."""
    if not line.startswith(MARK):
        return None
    return line.removeprefix(MARK).decode("utf-8", "replace").strip()
