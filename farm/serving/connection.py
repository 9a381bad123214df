"""A connection: uvicorn's, with bounds on what it lets a client do, and refusals as all others are.

What is refused here is not logged: anybody can send it, and as often as they like.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, ClassVar, Final

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from farm.serving.limits import Limits
from farm.serving.service import RequestError

HEAD_BYTES: Final = 64 << 10  # of a request's first line and headers
SLOWEST: Final = 16 << 10  # bytes per second that a sender may take its time for
READ_AHEAD: Final = 128 << 10  # bytes of a body that wait for what works on it
# A connection that is closed with data unread is reset, and an answer may be lost with it: so of
# one who still sends, that long is read.
LINGER_SECONDS: Final = 2.0
# Of connections beyond the limit, so many are told that there are too many; others are closed.
REFUSED_CONNECTIONS: Final = 32


def limited(limits: Limits) -> type[Connection]:
    """Return the class of connections with these limits."""
    return type("LimitedConnection", (Connection,), {"limits": limits})


class Connection(HttpToolsProtocol):
    """A connection of a service; each callback is that of asyncio, of httptools or of uvicorn."""

    limits: ClassVar[Limits]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting, self._begun, self._received = False, 0.0, 0  # a request comes, or is to come
        # The first is not cancelled when a request has come: there are many of these in its time.
        self._looks: asyncio.TimerHandle | None = None
        self._closes: asyncio.TimerHandle | None = None
        self._in_head, self._head_bytes = False, 0
        self._refusal: RequestError | None = None
        self._surplus = 0
        self.task: asyncio.Task[None] | None = None  # what works on a request now
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for a request."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self._surplus = len(self.connections) - self.limits.connections
        if self._surplus > REFUSED_CONNECTIONS:
            self.transport.abort()
        else:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it; nothing is computed for who has gone."""
        for timer in (self._looks, self._closes):
            if timer is not None:
                timer.cancel()
        self.lost = True
        super().connection_lost(exc)
        if self.task is not None:
            self.task.cancel()

    def data_received(self, data: bytes) -> None:
        """Read what comes; what comes after a refusal is dropped."""
        if self._refusal is not None:
            return
        self._unset_keepalive_if_required()
        if not self._waiting and (self.cycle is None or self.cycle.response_complete):
            self._wait()
        self._received += len(data)
        if self._in_head:
            self._head_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            return
        except httptools.HttpParserError as error:
            why = error.__context__  # of an error in a callback
            invalid = RequestError(400, "invalid", "this is no valid HTTP request")
            self._refuse(why if isinstance(why, RequestError) else invalid)
            return
        if self._in_head and self._head_bytes > HEAD_BYTES:
            self._refuse(too_long())

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.scope["state"]["connection"] = self
        self._in_head, self._head_bytes = True, 0
        self._wait()

    def on_headers_complete(self) -> None:
        """Have it answered; raises RequestError where it is not."""
        self._in_head = False
        if (
            len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            > HEAD_BYTES
        ):
            raise too_long()
        if self._surplus > 0:
            raise RequestError(503, "busy", "too many connections", {"Retry-After": "1"})
        super().on_headers_complete()
        if self.parser.should_upgrade():  # there is nothing to upgrade to
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Keep a piece of its body; what works on it is woken for the whole, or for much of it.

        uvicorn wakes it for each piece, and stops reading in the middle of a photo.
        """
        if not self.cycle.response_complete:
            self.cycle.body += body
            if len(self.cycle.body) > READ_AHEAD:
                self.flow.pause_reading()
                self.cycle.message_event.set()

    def on_message_complete(self) -> None:
        """Its sender may wait for the answer now."""
        self._waiting = False
        super().on_message_complete()
        if self.cycle.response_complete:
            self._wait()

    def on_response_complete(self) -> None:
        """Read what is left of a request that was answered before its end; not for ever."""
        super().on_response_complete()
        if self.cycle.response_complete and self._waiting and not self._in_head:
            self._close_soon()

    def _wait(self) -> None:
        """Wait for a request from now on."""
        self._waiting, self._begun, self._received = True, self.loop.time(), 0
        if self._closes is not None:
            self._closes.cancel()
        if self._looks is None:
            self._looks = self.loop.call_later(self.limits.sending_seconds, self._look)

    def _close_soon(self) -> None:
        """Close the connection, but let its client read what it was sent."""
        self._waiting = False
        self._closes = self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _look(self) -> None:
        """Cut off who has sent too little for the time that it took."""
        self._looks = None
        if not self._waiting:
            return
        if self.flow.read_paused:  # it is we who take the time
            self._wait()
            return
        allowed = self.limits.sending_seconds + self._received / SLOWEST
        left = self._begun + allowed - self.loop.time()
        if left > 0:
            self._looks = self.loop.call_later(left, self._look)
        elif self._in_head or not (self.cycle is None or self.cycle.response_complete):
            self._refuse(RequestError(408, "too_slow", "the request was not sent in time"))
        else:
            self.transport.close()

    def _refuse(self, refusal: RequestError) -> None:
        """Answer what is coming with a refusal, and end the connection.

        Not before the request before it has its answer.
        """
        self._waiting = False
        cycle, self._refusal = self.cycle, refusal
        if cycle is not None and not cycle.response_complete:
            cycle.keep_alive = False
            if not cycle.more_body:
                return
            cycle.disconnected = True
            cycle.message_event.set()
            if cycle.response_started:
                self.transport.close()
                return
        body = json.dumps({"error": refusal.as_dict()}).encode()
        headers = {
            "Content-Type": "application/json",
            "Content-Length": f"{len(body)}",
            "Connection": "close",
            **refusal.headers,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
        self.transport.write(STATUS_LINE[refusal.status] + head + b"\r\n" + body)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._close_soon()


def too_long() -> RequestError:
    """Return the refusal of a request whose head is too long."""
    limit = f"{HEAD_BYTES >> 10} KiB"
    return RequestError(431, "head_too_large", f"the path and headers have more than {limit}")
