"""A TCP proxy that delays, breaks, or cuts off silently, as a cable does that is pulled."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final

CHUNK: Final = 65536
HOST: Final = "127.0.0.1"


class TcpProxy:
    """A proxy of a port of this machine, on a `port` of its own.

    `delay` seconds pass before anything is passed on, `up` and `down` count the bytes that went to
    the server and came from it.
    """

    def __init__(self, there: int) -> None:
        self._there, self.port = there, 0
        self.delay, self.up, self.down = 0.0, 0, 0
        self._loop = asyncio.new_event_loop()
        self._whole = asyncio.Event()
        self._whole.set()
        self._pairs: set[asyncio.Task[None]] = set()

    def cut(self) -> None:
        """Pass nothing on, and tell neither side so: what is sent waits, connections stay open."""
        self._loop.call_soon_threadsafe(self._whole.clear)

    def heal(self) -> None:
        """Pass on what waits, and all that follows."""
        self._loop.call_soon_threadsafe(self._whole.set)

    def drop(self) -> None:
        """Break all connections; new ones are let through."""
        self.do(self._drop())

    def do(self, what: Coroutine[Any, Any, None]) -> None:
        """Do something in the proxy's own thread."""
        asyncio.run_coroutine_threadsafe(what, self._loop).result()

    def run(self) -> None:
        """Serve until `end`."""
        self._loop.run_forever()
        self._loop.close()

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def end(self) -> None:
        """Break all connections, listen no more, let `run` return."""
        self.do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _close(self) -> None:
        self._server.close()
        await self._drop()

    async def _drop(self) -> None:
        for pair in self._pairs:
            pair.cancel()
        await asyncio.gather(*self._pairs, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._pairs.add(task)
        writers = [writer]
        try:
            await self._whole.wait()
            answers, requests = await asyncio.open_connection(HOST, self._there)
            writers.append(requests)
            await asyncio.gather(
                self._pipe(reader, requests, up=True), self._pipe(answers, writer, up=False)
            )
        except (OSError, asyncio.CancelledError):
            return
        finally:
            self._pairs.discard(task)
            for each in writers:
                each.transport.abort()

    async def _pipe(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool
    ) -> None:
        while data := await reader.read(CHUNK):
            if self.delay:
                await asyncio.sleep(self.delay)
            await self._whole.wait()
            self.up += len(data) * up
            self.down += len(data) * (not up)
            writer.write(data)
            await writer.drain()
        await self._whole.wait()
        raise ConnectionResetError("one side has ended: the other hears of it")


@contextmanager
def tcp_proxy(there: int) -> Iterator[TcpProxy]:
    """A proxy of that port, in a thread."""
    proxy = TcpProxy(there)
    thread = threading.Thread(target=proxy.run)
    thread.start()
    try:
        proxy.do(proxy.open())
        yield proxy
    finally:
        proxy.end()
        thread.join()
