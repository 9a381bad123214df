"""A service in a test, with all that it writes, and what it takes of the system."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil

from tests.helpers.raw_http import Answer, Connection, request
from tests.helpers.server import Server, serving
from tests.helpers.support import PATIENCE


class Site:
    """A service that runs; what it writes to its standard error is read all the time."""

    def __init__(self, server: Server) -> None:
        host, _, port = server.url.removeprefix("http://").partition(":")
        self.server, self.address = server, (host, int(port))
        self.process = psutil.Process(server.process.pid)
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.server.process.stderr is not None
        self.lines.extend(self.server.process.stderr)

    def ask(self, *pieces: bytes) -> Answer | None:
        """Send these on a connection of their own; return the first answer."""
        with Connection(self.address) as connection:
            return connection.send(*pieces).answer()

    def classify(self, photo: bytes) -> Any:
        """Return what is told of a photo, but for what differs each time."""
        answer = self.ask(request("POST", "/classify", body=photo))
        assert answer is not None
        assert answer.status == 200, answer
        return [(each["class"], each["score"]) for each in answer.json["top5"]]

    def ended(self) -> int:
        """Wait for its end; return the exit code."""
        code = self.server.process.wait(PATIENCE)
        self._reader.join()
        return code

    def tracebacks(self) -> list[str]:
        """Return what it has written that nobody should see."""
        return [line for line in list(self.lines) if "Traceback" in line or "Error:" in line]


@contextmanager
def site(*words: str, **options: Any) -> Iterator[Site]:
    """A service on a free port, ended by SIGTERM with the block if it runs still."""
    with serving(*words, **options) as server:
        made = Site(server)
        yield made
        if server.process.poll() is None:
            server.end()
        made.ended()
