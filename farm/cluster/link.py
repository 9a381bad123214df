"""The connection to a hub: how it is opened, and opened again for as long as it takes."""

from __future__ import annotations

import asyncio
import os
import random
import re
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import nats
from nats.aio.client import Client, Server
from nats.errors import Error as NatsError

from farm.errors import ConfigError, HubError
from farm.system.log import LOG

PORT: Final = 4222
CONNECT_SECONDS: Final = 4
PING_SECONDS: Final = 4  # with two answers owed, a link that is cut is known after 12 s at most
FIRST_WAIT: Final = 0.1  # seconds, doubled with each attempt
LONGEST_WAIT: Final = 5.0
PENDING_BYTES: Final = 32 << 20  # of what is sent while there is no link
REFUSED: Final = ("authorization", "authentication", "permission", "nkey", "jwt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where a hub is (nats://TOKEN@HOST:PORT, or tls://), and what opens it.

    `token` stands in for the one of the address, `creds` is a .creds file of NATS, `nkey` a file
    with the seed of a key. `tls_ca` has the certificates that are trusted beside the system's.
    """

    address: str
    token: str | None = None
    creds: Path | None = None
    nkey: Path | None = None
    tls_ca: Path | None = None

    def __str__(self) -> str:
        """Return the address without secrets."""
        return re.sub(r"//[^@/]*@", "//", self.address)

    def options(self) -> dict[str, Any]:
        """Return what nats.connect takes; raises ConfigError for an address that is none."""
        try:
            parts = urlsplit(self.address)
            port = parts.port or PORT
        except ValueError as error:
            raise ConfigError(f"{self}: no address of a hub: {error}") from error
        if parts.scheme not in ("nats", "tls") or not parts.hostname:
            raise ConfigError(f"{self}: write a hub's address as nats://TOKEN@HOST:{PORT}")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        found: dict[str, Any] = {"servers": f"{parts.scheme}://{host}:{port}"}
        if parts.password is not None:
            found |= {"user": unquote(parts.username or ""), "password": unquote(parts.password)}
        elif token := self.token or (parts.username and unquote(parts.username)):
            found["token"] = token
        if self.creds is not None:
            found["user_credentials"] = str(self.creds)
        if self.nkey is not None:
            found["nkeys_seed"] = str(self.nkey)
        if self.tls_ca is not None or parts.scheme == "tls":
            found["tls"] = self._trusting()
        return found

    def _trusting(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self.tls_ca)
        except (OSError, ssl.SSLError) as error:
            reason = error.strerror or error
            raise ConfigError(f"--tlsca {self.tls_ca}: no certificates: {reason}") from error


def back_off(attempts: int) -> float:
    """Return how many seconds to wait after so many attempts, no two boards alike."""
    longest = min(FIRST_WAIT * 2 ** min(attempts, 10), LONGEST_WAIT)
    return float(longest * random.uniform(0.5, 1.0))  # noqa: S311 - not for secrets


class Told:
    """What the client tells of its connection, passed on to the log and to `closed`."""

    def __init__(self, access: Access, closed: Callable[[HubError], None]) -> None:
        self._access, self._closed = access, closed
        self._attempts = 0
        self._last: Exception | None = None
        self.client = Client()

    def callbacks(self) -> dict[str, Any]:
        """Return them as Client.connect takes them."""
        return {
            "error_cb": self.errored,
            "disconnected_cb": self.disconnected,
            "reconnected_cb": self.reconnected,
            "closed_cb": self.ended,
            "reconnect_to_server_handler": self.next_server,
        }

    def next_server(self, servers: list[Server], _info: dict[str, Any]) -> tuple[Server, float]:
        """Return which server to try next, and after how many seconds."""
        self._attempts += 1
        return servers[0], back_off(self._attempts)

    async def errored(self, error: Exception) -> None:
        """Keep the last error: it may be the reason of the end."""
        self._last = error

    async def disconnected(self) -> None:
        """Tell that the connection is lost, unless it is lost since the last time."""
        if not (self._attempts or self.client.is_closed):
            told = f"the connection to {self._access} is lost; connecting again until it is back"
            LOG.warning(told, extra={"event": "hub_lost"})

    async def reconnected(self) -> None:
        """Tell that it is back."""
        self._attempts = 0
        LOG.info(f"connected to {self._access} again", extra={"event": "hub_back"})

    async def ended(self) -> None:
        """Tell why it has ended."""
        reason = said(self._last) if self._last is not None else "it was closed"
        self._closed(HubError(f"{self._access}: the connection has ended for good: {reason}"))


async def connect(access: Access, name: str, closed: Callable[[HubError], None]) -> Client:
    """Return a connection to a hub, which is opened again whenever it breaks.

    `name` is what the hub's administrator sees of this client. `closed` is told once it has ended
    for good, also by us. Raises HubError if the hub can't be reached now, or does not let us in.
    """
    options = access.options()
    for each in (access.creds, access.nkey):
        if each is not None and not each.is_file():
            raise ConfigError(f"{each}: no such file")
    told = Told(access, closed)
    options |= {"name": name, "connect_timeout": CONNECT_SECONDS}
    await _probe(access, {**options, "error_cb": told.errored})
    await told.client.connect(
        **options,
        **told.callbacks(),
        max_reconnect_attempts=-1,
        ping_interval=PING_SECONDS,
        pending_size=PENDING_BYTES,
    )
    return told.client


async def connect_for_ever(access: Access, name: str, closed: Callable[[HubError], None]) -> Client:
    """Return a connection as `connect` does, once the hub can be reached.

    Raises HubError only if the hub does not let us in.
    """
    attempts = 0
    while True:
        try:
            return await connect(access, name, closed)
        except RefusedError:
            raise
        except HubError as error:
            if not attempts:
                LOG.warning(f"{error}; trying again until it is there", extra={"event": "no_hub"})
            attempts += 1
            await asyncio.sleep(back_off(attempts))


class RefusedError(HubError):
    """The hub does not let us in."""


async def _probe(access: Access, options: dict[str, Any]) -> None:
    """Raise HubError unless the hub lets us in: the client itself would never give up."""
    try:
        await asyncio.wait_for(_enter(options), CONNECT_SECONDS)
    except (NatsError, OSError, asyncio.TimeoutError, ValueError) as error:
        reason = said(error)
        if any(word in reason.lower() for word in REFUSED):
            raise RefusedError(
                f"{access}: the hub does not let us in: {reason}; is the token or key the hub's?"
            ) from error
        raise HubError(f"{access}: the hub can't be reached: {reason}") from error


async def _enter(options: dict[str, Any]) -> None:
    there = urlsplit(options["servers"])
    # Its errors say why; the client would wait.
    _, writer = await asyncio.open_connection(there.hostname, there.port)
    writer.close()
    client = await nats.connect(**options, allow_reconnect=False)
    await client.close()


def said(error: BaseException) -> str:
    """Return what an error of the client says, without its prefix."""
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or error}"
    if isinstance(error, asyncio.TimeoutError):
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return str(error.strerror)
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return str(error).removeprefix("nats: ").strip("'\" ") or type(error).__name__
