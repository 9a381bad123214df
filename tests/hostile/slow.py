"""Requests that take their time, never end, or are cut off."""

from __future__ import annotations

import socket
import time
from typing import Final

from tests.helpers.raw_http import Answer, chunk, request
from tests.helpers.support import PATIENCE
from tests.hostile.case import BODY, CONNECTIONS, SECONDS, Target, case, post

CHUNKED: Final = request("POST", "/classify", "Transfer-Encoding: chunked")
SHORT: Final = request("POST", "/classify", "Content-Length: 1000")
HEAD: Final = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
LIVE: Final = request("GET", "/v2/health/live")
BLOCK: Final = 1 << 16
TIMES: Final = 20


@case("a body that says that it is larger than the limit")
def _(target: Target) -> Answer | None:
    return target.ask(request("POST", "/classify", f"Content-Length: {BODY + 1}"))


@case("a body that says that it has 2^63 bytes")
def _(target: Target) -> Answer | None:
    return target.ask(request("POST", "/classify", f"Content-Length: {2**63 - 1}"))


@case("a body larger than the limit, in chunks")
def _(target: Target) -> Answer | None:
    return target.ask(CHUNKED, *[chunk(bytes(BLOCK))] * (2 * BODY // BLOCK), chunk(b""))


@case("chunks without an end, as fast as they are taken")
def _(target: Target) -> Answer | None:
    return target.ask(CHUNKED, *[chunk(bytes(BLOCK))] * 1000)


@case("chunks of one byte, slowly")
def _(target: Target) -> Answer | None:
    return dripped(target, CHUNKED, chunk(b"\xff"))


@case("a body one byte at a time")
def _(target: Target) -> Answer | None:
    return dripped(target, SHORT, b"\xff")


@case("a body that stops amid")
def _(target: Target) -> Answer | None:
    return target.ask(SHORT, b"\xff\xd8")


@case("headers one at a time, slowly")
def _(target: Target) -> Answer | None:
    return dripped(target, HEAD, b"X-A: b\r\n")


@case("headers without an end, as fast as they are taken")
def _(target: Target) -> Answer | None:
    return target.ask(HEAD, *[b"X-A: b\r\n" * 8192] * 1000)


@case("one header without an end, as fast as it is taken")
def _(target: Target) -> Answer | None:
    return target.ask(HEAD, b"X-A: ", *[b"b" * BLOCK] * 1000)


@case("a connection on which nothing comes")
def _(target: Target) -> Answer | None:
    return target.ask()


@case("a connection on which nothing comes after an answer")
def _(target: Target) -> Answer | None:
    with target.connect() as connection:
        assert connection.send(LIVE).answer() is not None
        return connection.answer()


@case("half a request after an answer")
def _(target: Target) -> Answer | None:
    with target.connect() as connection:
        assert connection.send(LIVE).answer() is not None
        return connection.send(b"GET / HT").answer()


@case("a connection that is cut amid headers, 20 times")
def _(target: Target) -> Answer | None:
    for _attempt in range(TIMES):
        target.connect().send(b"POST /classify HTTP/1.1\r\nHost: loc").reset()
    return None


@case("a connection that is cut amid a body, 20 times")
def _(target: Target) -> Answer | None:
    for _attempt in range(TIMES):
        target.connect().send(post(target.photo)[:-100]).reset()
    return None


@case("a client that goes before its answer comes, 20 times")
def _(target: Target) -> Answer | None:
    for _attempt in range(TIMES):
        target.connect().send(post(target.photo)).reset()
    return None


@case("a client that says all and then nothing more (half-closed)")
def _(target: Target) -> Answer | None:
    with target.connect() as connection:
        connection.send(post(target.photo)).socket.shutdown(socket.SHUT_WR)
        return connection.answer()


@case("more connections than the limit, on which nothing comes")
def _(target: Target) -> Answer | None:
    held = [target.connect() for _ in range(CONNECTIONS * 2)]
    answer = target.ask(LIVE)
    for connection in held:
        connection.close()
    return answer


@case("16 viewers of `/events` that read nothing")
def _(target: Target) -> Answer | None:
    held = [target.connect().send(request("GET", "/events")) for _ in range(16)]
    answer = target.ask(LIVE)
    for connection in held:
        assert connection.told(within=PATIENCE)
        connection.reset()
    return answer


@case("two requests at once, on one connection")
def _(target: Target) -> Answer | None:
    with target.connect() as connection:
        connection.send(post(target.photo) + LIVE)
        first, second = connection.answer(), connection.answer()
        assert first is not None
        assert second is not None
        assert first.json["top5"]
        return second


@case("1,000 requests at once, on one connection")
def _(target: Target) -> Answer | None:
    with target.connect() as connection:
        connection.send(LIVE * 1000)
        answers = [connection.answer() for _ in range(1000)]
        assert len({answer and answer.status for answer in answers}) == 1
        return answers[-1]


@case("a client that asks whether to send a body that is too large (`Expect: 100-continue`)")
def _(target: Target) -> Answer | None:
    head = ("Expect: 100-continue", f"Content-Length: {BODY + 1}")
    return target.ask(request("POST", "/classify", *head))


@case("a client that asks whether to send a photo (`Expect: 100-continue`)")
def _(target: Target) -> Answer | None:
    with target.connect() as connection:
        length = f"Content-Length: {len(target.photo)}"
        connection.send(request("POST", "/classify", "Expect: 100-continue", length))
        told = connection.socket.recv(BLOCK)
        assert told.startswith(b"HTTP/1.1 100")
        return connection.send(target.photo).answer()


@case("HTTP/1.0")
def _(target: Target) -> Answer | None:
    with target.connect() as connection:
        head = f"Content-Length: {len(target.photo)}"
        connection.send(request("POST", "/classify", head, version="1.0"), target.photo)
        answer = connection.answer()
        assert connection.ended()
        return answer


def dripped(target: Target, head: bytes, piece: bytes) -> Answer | None:
    """Send `piece` again and again, slower than any client does, until the server has enough."""
    with target.connect() as connection:
        connection.send(head)
        pause, until = SECONDS / 10, time.monotonic() + 20 * SECONDS
        while not connection.told(within=pause) and time.monotonic() < until:
            connection.send(piece)
        return connection.answer()
