"""The life of a service: its farm goes up, it serves, it drains, it ends with a code."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType

import uvicorn

from farm.api import Farm
from farm.config.schema import FarmConfig
from farm.errors import EXIT_SIGNAL_BASE, InterruptedStartError
from farm.serving import listen
from farm.serving.app import make_app
from farm.serving.connection import limited
from farm.serving.limits import Limits
from farm.serving.service import Service
from farm.system.log import LOG
from farm.system.progress import starting
from farm.system.signals import Signals


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Where a service listens, under which `name` it shows its model, what it takes on.

    Without `thumbnails`, its page shows no pictures of what others send.
    """

    host: str
    port: int
    name: str
    limits: Limits
    thumbnails: bool


def serve(config: FarmConfig, request: Request) -> int:
    """Serve a farm until a signal comes; return 128 plus the signal.

    Raises OutputError where nobody can listen, and what a farm raises that can't start.
    """
    with Signals() as signals, listen.bind(request.host, request.port) as bound:
        try:
            with Farm(config, signals=signals, starting=starting) as farm:
                service = Service(
                    farm,
                    name=request.name,
                    limits=request.limits,
                    thumbnails=request.thumbnails,
                )
                Server(service, signals, bound).run()
        except InterruptedStartError as error:
            LOG.info(str(error))
        return EXIT_SIGNAL_BASE + signals.received[0]


class Server(uvicorn.Server):
    """uvicorn's server, which tells when it is up and heeds our signals instead of its own."""

    def __init__(self, service: Service, signals: Signals, bound: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(
                make_app(service),
                http=limited(service.limits),
                timeout_keep_alive=service.limits.sending_seconds,  # type: ignore[arg-type]
                loop="asyncio",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
            )
        )
        self._service, self._signals, self._bound = service, signals, bound

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn.Server.run."""
        super().run([self._bound, *(sockets or ())])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn.Server.startup."""
        await super().startup(sockets)
        url, task = listen.url_of(self._bound, scheme="http"), self._service.config.task
        simulated = ", a simulated NPU" if self._service.farm.plan.simulated else ""
        LOG.info(
            f"serving {self._service.name}{simulated} on {url}; try:\n"
            f"  curl --data-binary @photo.jpg {url}/{task}",
            extra={"event": "serving", "url": url},
        )

    async def on_tick(self, counter: int) -> bool:
        """See uvicorn.Server.on_tick; it comes ten times a second."""
        if self._signals.received:
            self._service.draining = True
            return True
        return await super().on_tick(counter)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to Signals."""
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """See capture_signals."""
