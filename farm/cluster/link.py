"""The connection to a hub: how it is opened, and opened again for as long as it takes."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import random
import re
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from nats.aio.client import Client, Server
from nats.errors import Error as NatsError
from nats.js.errors import APIError, ServiceUnavailableError

from farm.cluster.access import Access
from farm.errors import HubError
from farm.system.log import LOG

__all__ = ["Access", "RefusedError", "back_off", "connect", "connect_for_ever", "persist", "said"]

T = TypeVar("T")
GONE: Final = (NatsError, OSError, asyncio.TimeoutError)  # what the client raises without a link
CONNECT_SECONDS: Final = 4
PING_SECONDS: Final = 4  # with two answers owed, a link that is cut is known after 12 s at most
FIRST_WAIT: Final = 0.1  # seconds, doubled with each attempt
LONGEST_WAIT: Final = 5.0
PENDING_BYTES: Final = 32 << 20  # of what is sent while there is no link
OLDEST_SERVER: Final = (2, 10)  # which keeps what a stream's makers note of it
LAST_NUMBER: Final = re.compile(r".*\[Errno (\d+)\]", re.DOTALL)  # of each address of a name, one
NOBODY_LISTENS: Final = (
    "; check that `npu-farm hub` runs there, with --listen for other machines than its own, on "
    "this port, and that no firewall is between"
)
OTHER_NAME: Final = (62, 64)  # x509_vfy.h: X509_V_ERR_HOSTNAME_MISMATCH, _IP_ADDRESS_MISMATCH
# A hub that is busy may take a client's words too late: that is no refusal.
REFUSED: Final = re.compile(r"(authori[sz]ation|authentication(?! timeout)|permissions|jwt)", re.I)


class RefusedError(HubError):
    """The hub does not let us in."""


def back_off(attempts: int) -> float:
    """Return how many seconds to wait after so many attempts, no two boards alike."""
    longest = min(FIRST_WAIT * 2 ** min(attempts, 10), LONGEST_WAIT)
    return float(longest * random.uniform(0.5, 1.0))  # noqa: S311 - not for secrets


class TlsClient(Client):
    """A client that keeps to TLS where it is asked for.

    NATS's own would send its token to a server without, in clear.
    """

    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
        if initial_connection and "tls" in self.options and not info.get("tls_required"):
            self.drop()
            raise NatsError("TLS is asked for, and this server speaks none")
        await super()._process_info(info, initial_connection)

    def drop(self) -> None:
        """Close the socket of an attempt that has failed: the next one would leave it open."""
        if self._transport is not None:
            self._transport.close()  # type: ignore[no-untyped-call]


class Told:
    """What a client tells of its connection, passed on to the log and to `closed`."""

    def __init__(self, client: Client, access: Access, closed: Callable[[HubError], None]) -> None:
        self._client, self._access, self._closed = client, access, closed
        self._attempts = 0
        self._last: BaseException | None = None
        self._ending: asyncio.Task[None] | None = None

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
        return servers[self._attempts % len(servers)], back_off(self._attempts)

    async def errored(self, error: Exception) -> None:
        """Keep the last error: it may be the reason of the end. End where we are not let in.

        The client itself would try for ever.
        """
        if self._ending is not None:
            return
        self._last = error
        if self._attempts and is_refusal(error):
            self._ending = asyncio.create_task(self._end())

    async def disconnected(self) -> None:
        """Tell that the connection is lost, unless it is so since the last time, or by our will."""
        if not self._attempts and not self._client.is_closed:
            told = f"the connection to {self._access} is lost; connecting again until it is back"
            LOG.warning(told, extra={"event": "hub_lost"})

    async def reconnected(self) -> None:
        """Tell that it is back."""
        self._attempts = 0
        LOG.info(f"connected to {self._access} again", extra={"event": "hub_back"})

    async def ended(self) -> None:
        """Tell why it has ended."""
        last = self._client.last_error or self._last  # the first is what a server said at the end
        if last is None:
            self._closed(HubError(f"{self._access}: the connection was closed"))
        else:
            self._closed(failure(self._access, last, "the connection has ended for good"))

    async def _end(self) -> None:
        try:
            await self._client.close()
        except (NatsError, OSError):  # of what waited to be sent
            await self.ended()


async def connect(access: Access, name: str, closed: Callable[[HubError], None]) -> Client:
    """Return a connection to a hub, which is opened again whenever it breaks.

    `name` is what the hub's administrator sees of this client. `closed` is told once it has ended
    for good: by us, or because we are not let in any more. Raises HubError if the hub can't be
    reached now, does not let us in, or is too old.
    """
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns of what the client does
    options = {**access.options(), "name": name, "connect_timeout": CONNECT_SECONDS}
    client = TlsClient()
    told = Told(client, access, closed)
    try:
        await asyncio.wait_for(_probe(options), CONNECT_SECONDS)
        opening = client.connect(
            **options,
            **told.callbacks(),
            max_reconnect_attempts=-1,
            ping_interval=PING_SECONDS,
            pending_size=PENDING_BYTES,
        )
        await asyncio.wait_for(opening, CONNECT_SECONDS)
    except (NatsError, OSError, asyncio.TimeoutError, ValueError) as error:
        raise failure(access, error, "the hub can't be reached") from error
    return client


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


async def _probe(options: dict[str, Any]) -> None:
    """Raise what is wrong with a hub: the client itself would try for ever."""
    client = TlsClient()

    async def errored(error: Exception) -> None:
        if not client.is_closed:  # TLS may complain of the end, which we want
            raise error

    try:
        await client.connect(**options, error_cb=errored, allow_reconnect=False)
    except BaseException:
        client.drop()
        raise
    version = client.connected_server_version
    await client.close()
    if (version.major, version.minor) < OLDEST_SERVER:
        oldest = ".".join(map(str, OLDEST_SERVER))
        raise NatsError(f"its server is {version}; {oldest} or later is needed")


def failure(access: Access, error: BaseException, what: str) -> HubError:
    """Return what an error of the client means, `what` unless it is that we are not let in."""
    if is_refusal(error):
        reason = f"{said(error)}; is the token or key the hub's?"
        return RefusedError(f"{access}: the hub does not let us in: {reason}")
    return HubError(f"{access}: {what}: {said(error)}")


def is_refusal(error: BaseException) -> bool:
    """Return whether an error of the client is a server's that does not let us in."""
    return isinstance(error, NatsError) and REFUSED.search(str(error)) is not None


async def persist(work: Callable[[], Awaitable[T]]) -> T:
    """Return what `work` returns, which is tried until the hub answers.

    Raises HubError where it answers that it will not.
    """
    attempts = 0
    while True:
        try:
            return await work()
        except (NatsError, OSError, asyncio.TimeoutError) as error:
            if isinstance(error, APIError) and not isinstance(error, ServiceUnavailableError):
                raise HubError(f"the hub refuses: {error.description}") from error
        attempts += 1
        await asyncio.sleep(back_off(attempts))


def said(error: BaseException) -> str:
    """Return what an error of the client says, without its prefix."""
    match error:
        case ssl.SSLCertVerificationError():
            other = error.verify_code in OTHER_NAME
            advice = "use a name that it has" if other else "--tlsca FILE says whom to trust"
            text = f"TLS: {error.verify_message.rstrip('.')}; {advice}"
        case ssl.SSLError():
            text = f"TLS: {error.reason or error}"
        case asyncio.TimeoutError():
            text = "no answer in time"
        case socket.gaierror():
            text = str(error.strerror)
        case OSError() if found := LAST_NUMBER.match(str(error)):
            number = int(found[1])
            text = os.strerror(number) + (NOBODY_LISTENS if number == errno.ECONNREFUSED else "")
        case ServiceUnavailableError():
            text = error.description or "its server has no JetStream"
        case APIError():
            text = error.description or type(error).__name__
        case _:
            text = str(error).removeprefix("nats: ").strip("'\" ") or type(error).__name__
    return text
