"""A reverse proxy that has a service in a folder, and takes this off."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

import httpx


class Proxy:
    """A proxy of the server at `url`; `place` becomes its own URL, which ends in `folder/`."""

    def __init__(self, url: str, folder: str) -> None:
        self._there, self._folder = httpx.URL(url), folder
        self._stop = asyncio.Event()
        self.place: Future[tuple[str, asyncio.AbstractEventLoop]] = Future()

    async def run(self) -> None:
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{self._folder}/"
        self.place.set_result((url, asyncio.get_running_loop()))
        await self._stop.wait()
        server.close()

    def stop(self) -> None:
        self._stop.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on one request, and its answer as it comes."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            head = head.replace(f" {self._folder}/".encode(), b" /", 1)
            head = head.replace(b"keep-alive", b"close", 1)
            answers, requests = await asyncio.open_connection(self._there.host, self._there.port)
            try:
                requests.write(head)
                await asyncio.gather(pipe(reader, requests), pipe(answers, writer))
            finally:
                requests.close()
        except (OSError, asyncio.IncompleteReadError):
            return  # a browser opens connections ahead, and drops them
        finally:
            writer.close()


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes until its end."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


@contextmanager
def proxying(url: str, folder: str) -> Iterator[str]:
    """The URL of a proxy of the server at `url`."""
    proxy = Proxy(url, folder)
    thread = threading.Thread(target=lambda: asyncio.run(proxy.run()))
    thread.start()
    place, loop = proxy.place.result()
    try:
        yield place
    finally:
        loop.call_soon_threadsafe(proxy.stop)
        thread.join()
