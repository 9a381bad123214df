"""A file system of one folder, in memory, that can be told to leave requests unanswered.

`python -m tests.helpers.fuse_server FD FOLDER`: FD is of /dev/fuse, mounted on FOLDER. It is a
process of its own, for a test that waits for a file may hold Python's lock. Commands come as lines
of JSON on standard input; each is answered by a line with what is held. When the input ends, the
connection is aborted and the folder unmounted.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import select
import stat
import sys
import time
from contextlib import suppress
from typing import Final

from tests.helpers import fuse_protocol as fuse
from tests.helpers.fuse_protocol import Op, Request

ROOT: Final = 1  # the folder's node; files have those after it
FOLDER_MODE: Final = stat.S_IFDIR | 0o755
FILE_MODE: Final = stat.S_IFREG | 0o644
MNT_DETACH: Final = 2
OPENED: Final = fuse.OPENED.pack(0, fuse.DIRECT_IO, 0)
ALWAYS: Final[dict[int, bytes]] = {
    Op.INIT: fuse.hello(),
    Op.STATFS: fuse.STATFS.pack(*(1 << 20,) * 5, 4096, 255, 4096, *(0,) * 7),
    Op.OPEN: OPENED,
    Op.OPENDIR: fuse.OPENED.pack(0, 0, 0),
    **dict.fromkeys((Op.RELEASE, Op.RELEASEDIR, Op.FSYNC, Op.FSYNCDIR, Op.FLUSH), b""),
}


class Refused(Exception):
    """An answer that is an error number."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Files:
    """What is in the folder."""

    def __init__(self) -> None:
        self.names: dict[str, int] = {}  # name: node
        self._contents: dict[int, bytearray] = {}  # also of those that were removed
        self._changed = {ROOT: time.time_ns()}

    def named(self, node: int) -> str:
        """The file's name; empty for the folder and for what was removed."""
        return next((name for name, of in self.names.items() if of == node), "")

    def answer(self, request: Request) -> bytes:
        """What becomes of a request; raises Refused."""
        if request.op in ALWAYS:
            return ALWAYS[request.op]
        answers = {
            Op.LOOKUP: lambda _, name: self._found(self._at(name)),
            Op.GETATTR: lambda node, _: fuse.VALID.pack(0, 0, 0) + self._attributes(node),
            Op.SETATTR: self._set,
            Op.CREATE: self._create,
            Op.UNLINK: self._remove,
            Op.READ: self._read,
            Op.WRITE: self._write,
            Op.READDIR: self._list,
        }
        if request.op not in answers:
            raise Refused(errno.ENOSYS)
        return answers[Op(request.op)](request.node, request.body)

    def _at(self, name: bytes) -> int:
        try:
            return self.names[os.fsdecode(name.rstrip(b"\0"))]
        except KeyError:
            raise Refused(errno.ENOENT) from None

    def _attributes(self, node: int) -> bytes:
        mode = FOLDER_MODE if node == ROOT else FILE_MODE
        size = len(self._contents.get(node, b""))
        return fuse.attributes(node, mode, size, self._changed[node])

    def _found(self, node: int) -> bytes:
        return fuse.FOUND.pack(node, 0, 0, 0, 0, 0) + self._attributes(node)

    def _create(self, _: int, body: bytes) -> bytes:
        name = os.fsdecode(body[fuse.CREATE_HEAD :].rstrip(b"\0"))
        node = self.names[name] = len(self._changed) + ROOT
        self._contents[node], self._changed[node] = bytearray(), time.time_ns()
        return self._found(node) + OPENED

    def _set(self, node: int, body: bytes) -> bytes:
        which, _, _, size = fuse.SET_SIZE.unpack_from(body)
        if which & fuse.SIZE_IS_SET:
            content = self._contents[node]
            content[size:] = bytes(max(0, size - len(content)))
            self._changed[node] = time.time_ns()
        return fuse.VALID.pack(0, 0, 0) + self._attributes(node)

    def _remove(self, _: int, name: bytes) -> bytes:
        node = self._at(name)
        del self.names[self.named(node)]
        return b""

    def _read(self, node: int, body: bytes) -> bytes:
        _, offset, size = fuse.SPAN.unpack_from(body)
        return bytes(self._contents[node][offset : offset + size])

    def _write(self, node: int, body: bytes) -> bytes:
        _, offset, size = fuse.SPAN.unpack_from(body)
        content = self._contents[node]
        content.extend(bytes(max(0, offset - len(content))))
        content[offset : offset + size] = body[fuse.WRITE_HEAD :]
        self._changed[node] = time.time_ns()
        return fuse.WRITTEN.pack(size, 0)

    def _list(self, _: int, body: bytes) -> bytes:
        offset, size = fuse.SPAN.unpack_from(body)[1:]
        entries = b""
        for at, (name, node) in list(enumerate(self.names.items(), 1))[offset:]:
            entry = fuse.entry(node, at, os.fsencode(name))
            if len(entries) + len(entry) > size:
                break
            entries += entry
        return entries


class Server:
    """Answers the kernel, and holds what it was told to."""

    def __init__(self, device: int) -> None:
        self._device, self._files = device, Files()
        self._hold: set[tuple[int, str]] = set()  # operation, file
        self._held: list[Request] = []

    def serve(self) -> None:
        """Answer until standard input ends."""
        sources = [self._device, sys.stdin.fileno()]
        while True:
            readable = select.select(sources, [], [])[0]
            if self._device in readable:
                self._take()
            if sys.stdin.fileno() in readable:
                line = sys.stdin.buffer.readline()
                if not line:
                    return
                match json.loads(line):
                    case ["hold", files, operations]:
                        self._hold |= {(op, file) for op in operations for file in files}
                    case ["answer", files]:
                        self._release(files or list(self._files.names))
                    case ["abort"]:
                        os.close(self._device)
                        sources.remove(self._device)
                        self._held.clear()
                held = [(r.op, self._files.named(r.node), r.pid) for r in self._held]
                print(json.dumps(held), flush=True)

    def _take(self) -> None:
        try:
            request = Request.of(os.read(self._device, fuse.LARGEST + 4096))
        except (FileNotFoundError, BlockingIOError):  # who asked went away meanwhile
            return
        if request.op in fuse.UNANSWERED:
            return
        if (request.op, self._files.named(request.node)) in self._hold:
            self._held.append(request)
        else:
            self._answer(request)

    def _release(self, files: list[str]) -> None:
        self._hold = {(op, file) for op, file in self._hold if file not in files}
        free = [request for request in self._held if self._files.named(request.node) in files]
        self._held = [request for request in self._held if request not in free]
        for request in free:
            self._answer(request)

    def _answer(self, request: Request) -> None:
        try:
            answer = fuse.reply(request.unique, self._files.answer(request))
        except Refused as refused:
            answer = fuse.reply(request.unique, b"", refused.number)
        with suppress(OSError):  # who asked went away meanwhile
            os.write(self._device, answer)


def main() -> None:
    """Serve, then clean up."""
    device, folder = int(sys.argv[1]), sys.argv[2]
    try:
        Server(device).serve()
    finally:
        with suppress(OSError):  # it was aborted
            os.close(device)
        ctypes.CDLL(None).umount2(os.fsencode(folder), MNT_DETACH)


if __name__ == "__main__":
    main()
