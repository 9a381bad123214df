"""The life of a hub: its server goes up, is told what it holds, serves, ends with a code."""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from nats.errors import Error as NatsError

from farm.cluster.access import Access
from farm.cluster.hub_store import HubStore, open_store
from farm.cluster.link import connect, said
from farm.cluster.nats_server import NatsServer, find_server
from farm.cluster.server_config import ServerSettings, config_text
from farm.cluster.streams import BOARDS_BYTES, Limits, ensure
from farm.errors import EXIT_SIGNAL_BASE, HubError
from farm.system import certificates, systemd
from farm.system.log import LOG
from farm.system.signals import Signals

WILDCARDS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - the user says them
ELSEWHERE: Final = {"0.0.0.0": "192.0.2.1", "::": "2001:db8::1"}  # noqa: S104 - RFC 5737, 3849


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Where a hub listens and what it holds; how long a board may be silent about a job.

    With a `certfile`, it speaks TLS. Prometheus is answered at the port `metrics`.
    """

    listen: str
    port: int
    store: Path
    store_bytes: int
    ack_seconds: float
    certfile: Path | None = None
    keyfile: Path | None = None
    metrics: int | None = None

    def settings(self, token: str) -> ServerSettings:
        """Return what the server is told."""
        return ServerSettings(
            listen=self.listen,
            port=self.port,
            token=token,
            store=self.store.absolute(),
            certfile=self.certfile,
            keyfile=self.keyfile,
        )

    def limits(self) -> Limits:
        """Return what the hub holds: half of its store is for jobs."""
        queues = self.store_bytes - BOARDS_BYTES
        return Limits(
            jobs_bytes=queues // 2,
            results_bytes=queues // 4,
            objects_bytes=queues // 4,
            ack_seconds=self.ack_seconds,
        )


class OwnAccess(Access):
    """The way to our own server: its certificate is trusted, whatever name it has."""

    def options(self) -> dict[str, Any]:
        """See Access.options."""
        found = super().options()
        if "tls" in found:
            found["tls"].check_hostname = False
            found["tls"].verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        return found


def serve(request: Request) -> int:
    """Run a hub until a signal comes; return 128 plus the signal.

    Raises ConfigError for a certificate that is none, OutputError for a folder that can't be used,
    HubError once its server has ended.
    """
    program = find_server()
    if request.certfile is not None:
        certificates.server_context(request.certfile, request.keyfile)  # its errors say more
    with Signals() as signals, open_store(request.store) as store:
        store.check_room(request.store_bytes)
        token = store.token()
        config = store.write_config(config_text(request.settings(token)))
        with NatsServer(program, config, store.fd) as server:
            if wait(server, signals, ready=True):
                asyncio.run(prepare(access_of(request, token), request.limits()))
                with metrics_of(request, token):
                    tell(request, token, store)
                    wait(server, signals)
            systemd.notify(systemd.STOPPING)
        LOG.info("the hub has ended; its store keeps what it holds", extra={"event": "ended"})
        return EXIT_SIGNAL_BASE + signals.received[0]


def wait(server: NatsServer, signals: Signals, *, ready: bool = False) -> bool:
    """Return True once a server is ready, if that is waited for, False once a signal has come.

    Raises HubError if the server ends by itself, or can store nothing any more.
    """
    poller = select.poll()
    for fd in (server.fd, signals.fd):
        poller.register(fd, select.POLLIN)
    while not signals.seen():
        if server.over:
            raise server.failure()
        if ready and server.ready:
            return True
        for fd, _ in poller.poll():
            if fd == server.fd:
                server.seen()
    return False


async def prepare(access: Access, limits: Limits) -> None:
    """Make what the hub holds; raises HubError where that can't be."""
    link = await connect(access, "npu-farm hub", lambda _: None)
    try:
        await ensure(link.jetstream(), limits)
    except NatsError as error:
        raise HubError(f"{access}: the hub does not answer: {said(error)}") from error
    finally:
        await link.close()


def access_of(request: Request, token: str) -> OwnAccess:
    """Return the way to our own server."""
    host = WILDCARDS.get(request.listen, request.listen)
    return OwnAccess(address=address(request, host), token=token, tls_ca=request.certfile)


def address(request: Request, host: str, secret: str = "") -> str:
    """Return the address of a hub at a host."""
    scheme = "nats" if request.certfile is None else "tls"
    return f"{scheme}://{secret}{f'[{host}]' if ':' in host else host}:{request.port}"


def metrics_of(request: Request, token: str) -> AbstractContextManager[object]:
    """Return what answers Prometheus during its block, if that is asked for."""
    if request.metrics is None:
        return nullcontext()
    from farm.cluster.metrics import serve_metrics

    return serve_metrics(access_of(request, token), request.listen, request.metrics)


def tell(request: Request, token: str, store: HubStore) -> None:
    """Tell that the hub is up, and how boards join it."""
    host = reachable(request)
    at = address(request, host, f"{quote(token, safe='')}@")
    trust = "; unless its certificate is a public one, add --tlsca FILE, a copy of it"
    LOG.info(
        f"hub at {address(request, host)}, its store is {store.folder}"
        f"{trust if request.certfile else ''}",
        extra={"event": "hub", "address": at, "store": str(store.folder)},
    )
    print(f"npu-farm join {at} CONFIG", flush=True)
    systemd.notify(systemd.READY)


def reachable(request: Request) -> str:
    """Return a name or address of this machine that boards can use.

    A certificate is for names: with one, it is the host's.
    """
    if request.listen not in WILDCARDS:
        return request.listen
    if request.certfile is not None:
        return socket.gethostname()
    family = socket.AF_INET6 if ":" in request.listen else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as towards:
        try:
            towards.connect((ELSEWHERE[request.listen], request.port))  # sends nothing
        except OSError:  # there is no network
            return socket.gethostname()
        return str(towards.getsockname()[0])
