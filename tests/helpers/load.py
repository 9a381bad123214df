"""Many connections that post photos to a server, and look at each answer."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from types import TracebackType
from typing import Any, Final

LONGEST: Final = 1 << 20  # bytes of an answer
CUT: Final = "cut"
HANGS: Final = "hangs"


@dataclass(slots=True)
class Tally:
    """What came back: how often each status, or `cut` or `hangs`; which kinds of errors; how soon.

    `wrong` are those answered with 200 that have another top-5 than expected. `took` has seconds,
    of answers with 200.
    """

    seen: Counter[int | str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    took: list[float] = field(default_factory=list)

    @property
    def right(self) -> int:
        """How many had the answer that was expected."""
        return self.seen[200] - len(self.wrong)


@dataclass(frozen=True, slots=True, kw_only=True)
class Photos:
    """Photos by name, and the classes of their top-5."""

    files: Mapping[str, bytes]
    expected: Mapping[str, list[int]]


class Load:
    """Posts photos on so many connections at a time, until it is told to end.

    A connection that is closed is opened anew. `patience` is the seconds after which an answer
    counts as one that never comes.
    """

    def __init__(
        self, address: tuple[str, int], photos: Photos, *, connections: int, patience: float
    ) -> None:
        self.tally = Tally()
        self._address, self._photos, self._patience = address, photos, patience
        self._connections, self._ending = connections, threading.Event()
        self._next = count()
        self._names = sorted(photos.files)
        self._requests = {name: _request(data) for name, data in photos.files.items()}
        self._thread = threading.Thread(target=lambda: asyncio.run(self._all()), daemon=True)

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.end()

    def end(self) -> Tally:
        """Send nothing more, wait for what has been sent."""
        self._ending.set()
        self._thread.join()
        return self.tally

    async def _all(self) -> None:
        await asyncio.gather(*(self._one() for _ in range(self._connections)))

    async def _one(self) -> None:
        while not self._ending.is_set():
            try:
                reader, writer = await asyncio.open_connection(*self._address, limit=LONGEST)
            except OSError:
                self.tally.seen["refused"] += 1
                await asyncio.sleep(0.05)
                continue
            try:
                await self._talk(reader, writer)
            finally:
                writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Post one photo after the other on a connection, while it lasts."""
        while not self._ending.is_set():
            name = self._names[next(self._next) % len(self._names)]
            begun = time.monotonic()
            try:
                writer.write(self._requests[name])
                await writer.drain()
                status, body, stays = await asyncio.wait_for(answer(reader), self._patience)
            except TimeoutError:
                self.tally.seen[HANGS] += 1
                return
            except (OSError, EOFError):
                self.tally.seen[CUT] += 1
                return
            self._count(name, status, body, time.monotonic() - begun)
            if status == 429:
                await asyncio.sleep(0.05)
            if not stays:
                return

    def _count(self, name: str, status: int, body: bytes, took: float) -> None:
        self.tally.seen[status] += 1
        told: Any = json.loads(body)
        if status != 200:
            self.tally.kinds[told["error"]["kind"]] += 1
            return
        self.tally.took.append(took)
        if classes(told) != self._photos.expected[name]:
            self.tally.wrong.append(f"{name}: {body!r}")


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes, bool]:
    """Read an answer: its status, its body, and whether the connection stays."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    _, _, after = head.partition(b"content-length:")
    body = await reader.readexactly(int(after.split(b"\r\n")[0]))
    return int(head.split()[1]), body, b"connection: close" not in head


def classes(told: Any) -> list[int]:
    """Return the classes of the top-5 in an answer for one photo."""
    return [each["class"] for each in told["top5"] or ()]


def _request(data: bytes) -> bytes:
    head = f"POST /classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(data)}\r\n\r\n"
    return head.encode() + data
