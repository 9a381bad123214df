"""A tunnel that is dialled from outside, for a board that can reach nothing but be reached.

`Inside` listens on two ports of the board. `python -m tests.board.tunnel TUNNEL HUB` connects from
here to one of them: who connects to the other one, on the board, talks to the hub on port HUB here.
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
    """The board's end: gives each who comes one of the connections from outside.

    `over` is set once the other end says that it is over.
    """

    def __init__(self) -> None:
        self._idle: asyncio.Queue[Pair] = asyncio.Queue()
        self.over = asyncio.Event()

    async def run(self, port: int, tunnel: int) -> None:
        """Listen, for ever."""
        async with (
            await asyncio.start_server(self._come, HERE, port),
            await asyncio.start_server(self._dialled, ANYWHERE, tunnel) as server,
        ):
            await server.serve_forever()

    async def _dialled(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.readexactly(1) == END:
            self.over.set()
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


if __name__ == "__main__":
    asyncio.run(outside(int(sys.argv[1]), int(sys.argv[2])))
