"""A tunnel that is dialled from outside, for a board that can reach nothing but be reached.

On the board, `inside PORT TUNNEL` listens on both ports. Here, `outside TUNNEL HUB` connects to the
board's TUNNEL port: whoever connects to PORT on the board talks to the hub on port HUB here.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from typing import Final

HERE: Final = "127.0.0.1"
ANYWHERE: Final = "0.0.0.0"  # noqa: S104 - the board's forwarded port comes in at its network card
GO: Final = b"!"  # somebody has come
END: Final = b"."  # the tunnel is needed no more
AGAIN_SECONDS: Final = 0.2
Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Inside:
    """The board's end: gives each who comes one of the connections from outside."""

    def __init__(self) -> None:
        self._idle: asyncio.Queue[Pair] = asyncio.Queue()
        self._over = asyncio.Event()

    async def run(self, port: int, tunnel: int) -> None:
        """Listen until the other end says that it is over."""
        async with (
            await asyncio.start_server(self._come, HERE, port),
            await asyncio.start_server(self._dialled, ANYWHERE, tunnel),
        ):
            await self._over.wait()

    async def _dialled(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.readexactly(1) == END:
            self._over.set()
        else:
            self._idle.put_nowait((reader, writer))

    async def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, requests = await self._idle.get()
        requests.write(GO)
        await both_ways((reader, writer), (answers, requests))


async def outside(tunnel: int, hub: int) -> None:
    """Keep a connection ready at all times, for ever."""
    going = set()
    while True:
        try:
            reader, writer = await asyncio.open_connection(HERE, tunnel)
            writer.write(GO)
            await reader.readexactly(1)
        except (OSError, asyncio.IncompleteReadError):  # the board is not up yet
            await asyncio.sleep(AGAIN_SECONDS)
            continue
        there = await asyncio.open_connection(HERE, hub)
        going.add(asyncio.create_task(both_ways((reader, writer), there)))


async def over(tunnel: int) -> None:
    """Tell the board's end that it is over."""
    _, writer = await asyncio.open_connection(HERE, tunnel)
    writer.write(END)
    await writer.drain()
    writer.close()


async def both_ways(one: Pair, other: Pair) -> None:
    """Pass on what comes from each, until both have ended."""
    await asyncio.gather(pipe(one[0], other[1]), pipe(other[0], one[1]))


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes until its end."""
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


def main() -> None:
    """See the module."""
    end, one, other = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    asyncio.run(Inside().run(one, other) if end == "inside" else outside(one, other))


if __name__ == "__main__":
    main()
