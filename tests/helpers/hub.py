"""A hub as a real process: NATS's server with its streams, on a port and in a folder that stay."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from nats.errors import Error as NatsError

from farm.cluster.link import Access, connect
from farm.cluster.streams import MB, Limits, ensure
from farm.errors import HubError
from tests.helpers.support import PATIENCE, wait_for

PLACES: Final = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
SERVER: Final = shutil.which("nats-server", path=PLACES) or "nats-server"
TOKEN: Final = "the-token-of-this-hub"  # noqa: S105 - of a server on loopback
ACK_SECONDS: Final = 2.0
MAX_PAYLOAD: Final = 8 * MB
OF_TOKEN: Final = {"authorization": {"token": TOKEN}}
Keys = Mapping[str, Any]


class Hub:
    """A hub that can be killed and started again.

    `address` is what clients need, `access` says it, too; `settings` are its server's.
    """

    def __init__(
        self, store: Path, limits: Limits, settings: dict[str, Any], keys: Keys, host: str
    ) -> None:
        self._limits, self._keys, self._host = limits, keys, host
        self._config, self._log = store / "server.conf", store / "log"
        self.port = free_port()
        self.settings = {
            "listen": f"{host}:{self.port}",
            "jetstream": {"store_dir": str(store), "max_file_store": 4096 * MB},
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        scheme = "tls" if "tls" in self.settings else "nats"
        token = self.settings.get("authorization", {}).get("token")
        return f"{scheme}://{token + '@' if token else ''}{self._host}:{self.port}"

    @property
    def access(self) -> Access:
        return Access(address=self.address, **self._keys)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """What the server has said."""
        return self._log.read_text()

    def start(self) -> None:
        """Start it on its port and store; it is ready on return."""
        self._write_config()
        with self._log.open("a") as log:
            self._process = subprocess.Popen([SERVER, "-c", self._config], stderr=log)
        assert wait_for(self.is_ready), self.log

    def is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        with suppress(HubError, NatsError):  # it may listen before it has its store
            asyncio.run(make_streams(self.access, self._limits))
            return True
        return False

    def reload(self) -> None:
        """Let it heed its settings while it runs."""
        self._write_config()
        os.kill(self.pid, signal.SIGHUP)

    def _write_config(self) -> None:
        self._config.write_text(json.dumps(self.settings))  # a form of its language

    def kill(self) -> None:
        """End it as a power cut does."""
        self._end(signal.SIGKILL)

    def terminate(self) -> None:
        """End it as its administrator does."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(PATIENCE)


async def make_streams(access: Access, limits: Limits) -> None:
    """Make a hub's streams; raises HubError while it is not ready."""
    link = await connect(access, "tests", lambda _: None)
    try:
        await ensure(link.jetstream(), limits)
    finally:
        await link.close()


def free_port() -> int:
    """A port of this machine that nobody has now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def hub(  # noqa: PLR0913 - what hubs of tests differ in
    store: Path,
    *,
    ack_seconds: float = ACK_SECONDS,
    jobs_bytes: int = 1024 * MB,
    max_payload: int = MAX_PAYLOAD,
    settings: Mapping[str, Any] = OF_TOKEN,
    host: str = "127.0.0.1",
    **keys: Any,
) -> Iterator[Hub]:
    """A hub that is ready, in a folder; killed with the block, if it runs still.

    `settings` of its server say what opens it, `keys` the same for an Access.
    """
    store.mkdir(parents=True, exist_ok=True)
    limits = Limits(ack_seconds=ack_seconds, jobs_bytes=jobs_bytes)
    sizes = {"max_payload": max_payload, "max_pending": max(64 * MB, 8 * max_payload)}
    running = Hub(store, limits, {**sizes, **settings}, keys, host)
    try:
        running.start()
        yield running
    finally:
        running.kill()
