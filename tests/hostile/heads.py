"""Requests whose first line, headers or length are not what they should be: sent at once."""

from __future__ import annotations

from typing import Final

from tests.helpers.raw_http import chunk, request
from tests.hostile.case import plain, post

MB: Final = 1 << 20
SEVEN: Final = bytes((7 * at * at + 13) % 256 for at in range(4096))  # as good as random
HELLO: Final = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(512)  # of a TLS client
UPGRADE: Final = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


def get(row: str, path: str, *headers: str) -> None:
    """Make a request without a body the case of a row."""
    plain(row, lambda _: request("GET", path, *headers))


def length(row: str, *headers: str, body: bytes = b"") -> None:
    """Make a request that says in these headers how long its body is the case of a row."""
    plain(row, lambda _: request("POST", "/classify", *headers) + body)


get("10,000 headers", "/", *["X-A: b"] * 10_000)
get("a header of 1 MB", "/", "X-A: " + "b" * MB)
get("a path of 1 MB", "/" + "a" * MB)
get("a query of 1 MB", "/v2?a=" + "a" * MB)
get("`/../../etc/passwd`", "/../../etc/passwd")
get("`/%2e%2e/%2e%2e/etc/passwd`", "/%2e%2e/%2e%2e/etc/passwd")
get("`/v2/models/..%2f..%2fetc%2fpasswd`", "/v2/models/..%2f..%2fetc%2fpasswd")
get("`/classify%00.html`", "/classify%00.html")
get("`//etc/passwd`", "//etc/passwd")
get("a path with bytes that are not ASCII", "/caf\xe9")
get("a path with bytes that are no UTF-8 (`/%ff%fe`)", "/%ff%fe")
get("the URL of another site (`GET http://example.com/secret`)", "http://example.com/secret")
get("a line break in a name (`/v2/models/a%0d%0aX-B:c`)", "/v2/models/a%0d%0aX-B:c")
get("a line break amid a header", "/", "X-A: b\rX-B: c")
get("a NUL amid a header", "/", "X-A: b\0c")
get("a header that goes on in the next line", "/", "X-A: b\r\n c")
get("a blank before a header's colon", "/", "X-A : b")
get("a header without a name", "/", ": b")
get("an upgrade to WebSocket", "/v2", *UPGRADE)

get("`GET /classify`", "/classify")
plain("`DELETE` of a model", lambda target: request("DELETE", f"/v2/models/{target.model}"))
plain("`TRACE /`", lambda _: request("TRACE", "/"))
plain("`CONNECT example.com:443`", lambda _: request("CONNECT", "example.com:443"))
plain("an unknown method", lambda _: request("STEAL", "/"))
plain("HTTP/0.9", lambda _: b"GET /\r\n\r\n")
plain("HTTP/3.7", lambda _: request("GET", "/", version="3.7"))
plain("HTTP/2 without asking", lambda _: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
plain("TLS where none is spoken", lambda _: HELLO)
plain("random bytes", lambda _: SEVEN)

length("two lengths", "Content-Length: 5", "Content-Length: 6", body=b"abcdef")
length("a length and chunks", "Content-Length: 3", "Transfer-Encoding: chunked", body=b"0\r\n\r\n")
length("a coding after the chunks", "Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n")
length("a negative length", "Content-Length: -1")
length("a length that is no number", "Content-Length: 0x10")
length("a length of 100 digits", "Content-Length: " + "9" * 100)
length("a chunk whose size is no number", "Transfer-Encoding: chunked", body=b"zz\r\nabc\r\n")
length("a chunk of 2^64 bytes", "Transfer-Encoding: chunked", body=b"1" + b"0" * 16 + b"\r\n")
length("chunks, and nothing in them", "Transfer-Encoding: chunked", body=chunk(b""))

plain(
    "a page of another site that posts (`Origin: http://example.com`)",
    lambda target: post(target.photo, "Origin: http://example.com", "Content-Type: text/plain"),
)
plain(
    "a name of another site that leads here (`Host: example.com`)",
    lambda _: b"GET /v2 HTTP/1.1\r\nHost: example.com\r\n\r\n",
)
plain("no `Host`", lambda _: b"GET /v2 HTTP/1.1\r\n\r\n")
get("two `Host`s", "/v2", "Host: example.com")
