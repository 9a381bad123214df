"""uvicorn's server, which heeds our signals, drains, and ends when its farm does."""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import socket
import ssl
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import uvicorn
from starlette.applications import Starlette

from farm.serving.connection import limited
from farm.serving.listen import url_of
from farm.serving.people import path_of
from farm.serving.security import HEADERS
from farm.serving.service import Service
from farm.system import systemd
from farm.system.log import LOG, SILENT
from farm.watch.viewer import Viewer

CLOSE_SECONDS: Final = 1  # for the last answers to leave, once there is nothing to wait for


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What a server looks at: the `signals` so far, whether its farm is `lost`, its snapshots."""

    signals: Sequence[int]
    lost: Future[None]
    viewer: Viewer


class Server(uvicorn.Server):
    """A server of `app` until it is to end.

    A first signal makes it drain: it takes nothing in, and ends once all is answered, at the latest
    after the config's `drain_seconds`. A second one, and the loss of the farm, end it at once.
    `left` is how many images it has given up.
    """

    def __init__(
        self,
        service: Service,
        app: Starlette,
        watched: Watched,
        *,
        tls: ssl.SSLContext | None,
        root_path: str,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=limited(service.limits),
                loop="asyncio",  # uvloop takes the signals for itself
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                headers=list(HEADERS),
                root_path=root_path,
                timeout_keep_alive=service.limits.sending_seconds,  # type: ignore[arg-type]
                timeout_graceful_shutdown=CLOSE_SECONDS,
                ssl_context_factory=None if tls is None else lambda *_: tls,
            )
        )
        # It logs what clients do, and what `refusals` logs.
        logging.getLogger("uvicorn").parent = SILENT
        logging.getLogger("python_multipart").parent = SILENT  # what is wrong with forms
        logging.getLogger("asyncio").parent = LOG
        self._service, self._watched = service, watched
        self._drained_by = math.inf
        self.left = 0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn.Server.startup."""
        await super().startup(sockets)
        self._service.look(self._watched.viewer)
        url = url_of(self.servers[0].sockets[0], scheme="https" if self.config.is_ssl else "http")
        simulated = " (simulated NPU)" if self._service.farm.plan.simulated else ""
        LOG.info(
            f"serving {self._service.name}{simulated} on {url}; try:\n"
            f"  curl --data-binary @photo.jpg {url}/{path_of(self._service.config.task)}",
            extra={"event": "serving", "url": url},
        )
        gc.freeze()  # what is there stays: nobody needs to look through it for garbage again
        systemd.notify(systemd.READY)

    async def on_tick(self, counter: int) -> bool:
        """See uvicorn.Server.on_tick; it comes ten times a second."""
        await super().on_tick(counter)
        self._service.look(self._watched.viewer)
        signals, now = len(self._watched.signals), asyncio.get_running_loop().time()
        if signals and not self._service.draining:
            self._service.draining = True
            self._drained_by = now + self._service.config.drain_seconds
            systemd.notify(systemd.STOPPING)
            seconds, waiting = self._service.config.drain_seconds, self._service.outstanding
            left = f"{waiting} images are left, for at most {seconds:g} s; " if waiting else ""
            LOG.info(
                f"stopping: {left}a second signal ends this at once",
                extra={"event": "draining", "images": waiting},
            )
        idle = self._service.draining and not self.server_state.tasks
        if not (idle or signals > 1 or now >= self._drained_by or self._watched.lost.done()):
            return False
        self._service.draining = True
        self.left = self._service.give_up()
        return True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to farm.system.signals."""
        yield
