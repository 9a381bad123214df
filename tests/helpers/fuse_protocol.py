"""What the kernel asks a file system in user space, as far as tests need it: linux/fuse.h."""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass
from typing import Final

REQUEST: Final = struct.Struct("=IIQQIIII")  # length, operation, unique, node, uid, gid, pid, _
REPLY: Final = struct.Struct("=IiQ")  # length, minus errno, unique
ATTRIBUTES: Final = struct.Struct("=6Q10I")  # of a file; see attributes()
FOUND: Final = struct.Struct("=QQQQII")  # node, generation, how long name and attributes hold
VALID: Final = struct.Struct("=QII")  # how long attributes hold
OPENED: Final = struct.Struct("=QII")  # handle, flags
SPAN: Final = struct.Struct("=QQI")  # handle, offset, size: of a read or a write
WRITE_HEAD: Final = 40  # bytes before those that are to be written
CREATE_HEAD: Final = 16  # bytes before the name that is to be created
WRITTEN: Final = struct.Struct("=II")
SET_SIZE: Final = struct.Struct("=IIQQ")  # which are set, _, handle, size
SIZE_IS_SET: Final = 1 << 3
ENTRY: Final = struct.Struct("=QQII")  # node, offset of the next, length of the name, type
REGULAR: Final = 8  # its type of file
STATFS: Final = struct.Struct("=5Q10I")
HELLO: Final = struct.Struct("=IIIIHHIIHHI28x")
LARGEST: Final = 128 * 1024  # bytes of a write
# Each read and write is a request of its own, which the process waits for in the kernel: with the
# page cache between, it waits for a page, and can be killed.
DIRECT_IO: Final = 1
BIG_WRITES: Final = 1 << 5


class Op(enum.IntEnum):
    """The operations that are answered; the kernel does without any other."""

    LOOKUP = 1
    GETATTR = 3
    SETATTR = 4
    UNLINK = 10
    OPEN = 14
    READ = 15
    WRITE = 16
    STATFS = 17
    RELEASE = 18
    FSYNC = 20
    FLUSH = 25
    INIT = 26
    OPENDIR = 27
    READDIR = 28
    RELEASEDIR = 29
    FSYNCDIR = 30
    CREATE = 35


FORGET: Final = 2
INTERRUPT: Final = 36
FORGET_MANY: Final = 42
UNANSWERED: Final = (FORGET, INTERRUPT, FORGET_MANY)  # the kernel expects nothing


@dataclass(frozen=True, slots=True)
class Request:
    """One request: the operation, the file's node, who waits for it, and what belongs to it."""

    op: int
    unique: int
    node: int
    pid: int
    body: bytes

    @classmethod
    def of(cls, data: bytes) -> Request:
        """Read it as it comes from /dev/fuse."""
        _, op, unique, node, _, _, pid, _ = REQUEST.unpack_from(data)
        return cls(op, unique, node, pid, data[REQUEST.size :])


def reply(unique: int, body: bytes, error: int = 0) -> bytes:
    """An answer as /dev/fuse takes it."""
    return REPLY.pack(REPLY.size + len(body), -error, unique) + body


def hello() -> bytes:
    """The answer to INIT: version 7.31, nothing in the background."""
    return HELLO.pack(7, 31, 0, BIG_WRITES, 0, 0, LARGEST, 1, 0, 0, 0)


def attributes(node: int, mode: int, size: int, changed_ns: int) -> bytes:
    """What stat(2) tells of a file."""
    blocks = -(-size // 512)
    seconds, ns = divmod(changed_ns, 10**9)
    times = (*(seconds,) * 3, *(ns,) * 3)
    return ATTRIBUTES.pack(node, size, blocks, *times, mode, 1, 0, 0, 0, 4096, 0)


def entry(node: int, offset: int, name: bytes) -> bytes:
    """A file in the listing of a folder; the next one begins at `offset`."""
    head = ENTRY.pack(node, offset, len(name), REGULAR) + name
    return head + bytes(-len(head) % 8)
