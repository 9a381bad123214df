"""HTTP as bytes on a socket: what no library lets one send, and what comes back."""

from __future__ import annotations

import json
import select
import socket
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final

from tests.helpers.support import PATIENCE

LINE: Final = 1 << 16  # bytes of the longest line of an answer


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: its status, its headers by their names in small letters, its body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, which must be JSON."""
        return json.loads(self.body)


class Connection:
    """A connection to a server; `answer` gives one answer after the other."""

    def __init__(self, address: tuple[str, int], *, patience: float = PATIENCE) -> None:
        self.socket = socket.create_connection(address, timeout=patience)
        self._file = self.socket.makefile("rb")

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close it."""
        self._file.close()
        self.socket.close()

    def reset(self) -> None:
        """Close it as a program does that is killed with data unread: by a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close()

    def send(self, *pieces: bytes) -> Connection:
        """Send all that the server takes; one that has closed the connection takes no more."""
        with suppress(BrokenPipeError, ConnectionResetError):
            for piece in pieces:
                self.socket.sendall(piece)
        return self

    def answer(self, *, body: bool = True) -> Answer | None:
        """Read the next answer that is not `100 Continue`; None if the connection ends first.

        With `body` false there is none, as after HEAD.
        """
        try:
            while (head := self._head()) is not None:
                status, headers = head
                if status != 100:
                    return Answer(status, headers, self._body(headers) if body else b"")
        except ConnectionResetError:
            pass
        return None

    def told(self, *, within: float) -> bool:
        """Whether something comes, or the end, within so many seconds."""
        return bool(select.select([self.socket], [], [], within)[0])

    def ended(self) -> bool:
        """Wait until the server closes the connection; False if it sends something instead."""
        try:
            return self._file.read(1) == b""
        except ConnectionResetError:
            return True

    def _head(self) -> tuple[int, dict[str, str]] | None:
        first = self._file.readline(LINE)
        if not first:
            return None
        headers: dict[str, str] = {}
        while (line := self._file.readline(LINE).rstrip(b"\r\n")) != b"":
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return int(first.split()[1]), headers

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") == "chunked":
            pieces = []
            while size := int(self._file.readline(LINE), 16):
                pieces.append(self._file.read(size))
                self._file.readline(LINE)
            self._file.readline(LINE)
            return b"".join(pieces)
        if "content-length" in headers:
            return self._file.read(int(headers["content-length"]))
        return self._file.read()


def request(
    method: str, path: str, *headers: str, body: bytes | None = None, version: str = "1.1"
) -> bytes:
    """Return a request: its `Content-Length` is that of `body` if there is one."""
    lines = [f"{method} {path} HTTP/{version}", "Host: localhost", *headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


def chunk(data: bytes) -> bytes:
    """Return a piece of a chunked body; an empty one is its end."""
    return b"%x\r\n%s\r\n" % (len(data), data)
