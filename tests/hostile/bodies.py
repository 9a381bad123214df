"""Bodies that are no images, or no honest ones, and forms."""

from __future__ import annotations

import gzip
import struct
import zlib
from typing import Final

from tests.hostile.case import BODY, IMAGES, Target, plain, post

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
ROWS: Final = 4000  # that are there: no decoder is meant to come so far


def png(width: int, height: int) -> bytes:
    """Return a PNG that says how large it is, and is a thousandth of that in bytes."""
    squeeze = zlib.compressobj(9)
    row = bytes(1 + min(width, 50_000) // 8)
    pixels = b"".join(squeeze.compress(row) for _ in range(min(height, ROWS))) + squeeze.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return SIGNATURE + b"".join((_piece(b"IHDR", head), _piece(b"IDAT", pixels), _piece(b"IEND")))


def _piece(kind: bytes, data: bytes = b"") -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check


def body(row: str, data: bytes, *headers: str) -> None:
    """Make a request with a body the case of a row."""
    plain(row, lambda _: post(data, *headers))


body("an empty body", b"")
body("text that says that it is a JPEG", b"a cat" * 100, "Content-Type: image/jpeg")
body("JSON for `/classify`", b'{"image": "cat.jpg"}', "Content-Type: application/json")
body("a path for `/classify`", b"/etc/passwd", "Content-Type: text/plain")
body("a URL for `/classify`", b"http://localhost:22/", "Content-Type: text/uri-list")
body("a PNG of 50,000 x 50,000 pixels in 25 kB", png(50_000, 50_000))
body("a PNG that says 2^31 x 2^31 pixels", png(2**31 - 1, 2**31 - 1))
body(
    "1 MB of zeros in 1 kB (`Content-Encoding: gzip`)",
    gzip.compress(bytes(BODY)),
    "Content-Encoding: gzip",
)
plain("half a photo", lambda target: post(target.photo[: len(target.photo) // 2]))
plain("a type of 4,000 letters", lambda target: post(target.photo, "Content-Type: " + "a" * 4000))


def part(data: bytes, *, name: str = ' name="image";', filename: str = "a.jpg") -> bytes:
    """Return a part with a file."""
    head = f'Content-Disposition: form-data;{name} filename="{filename}"\r\n\r\n'
    return head.encode("latin-1") + data + b"\r\n"


def form(*parts: bytes, boundary: str = "; boundary=line", end: bytes = b"--line--\r\n") -> bytes:
    """Return a request with a form: each part its headers, an empty line and its body."""
    told = b"".join(b"--line\r\n" + each for each in parts)
    return post(told + end, f"Content-Type: multipart/form-data{boundary}")


def many(target: Target, count: int) -> bytes:
    """Return a form with so many photos."""
    return form(*[part(target.photo)] * count)


plain("a form without a boundary", lambda target: form(part(target.photo), boundary=""))
plain("a boundary of 1,000 letters", lambda _: form(boundary="; boundary=" + "a" * 1000))
plain("a form without its end", lambda target: form(part(target.photo), end=b""))
plain("a form of nothing", lambda _: form())
plain("a form that does not begin", lambda _: form(end=b"nothing of the kind"))
plain("a part whose headers do not end", lambda _: form(b"X-A: b\r\n" * 10_000))
plain("a part without headers", lambda target: form(b"\r\n" + target.photo + b"\r\n"))
plain("a part without a name", lambda target: form(part(target.photo, name="")))
plain(
    "a part that is no file",
    lambda _: form(b'Content-Disposition: form-data; name="a"\r\n\r\nb\r\n'),
)
plain("more images in a form than the limit", lambda target: many(target, IMAGES + 1))
plain("5,000 parts", lambda _: form(*[part(b"x")] * 5000))
plain(
    "10,000 times the field `timeout`",
    lambda _: form(*[b'Content-Disposition: form-data; name="timeout"\r\n\r\n1\r\n'] * 10_000),
)
plain(
    "5,000 fields",
    lambda _: form(*[b'Content-Disposition: form-data; name="a"\r\n\r\nb\r\n'] * 5000),
)
plain(
    "a file's name of 100,000 letters",
    lambda target: form(part(target.photo, filename="a" * 100_000)),
)
plain(
    "a file named `../../../etc/passwd`",
    lambda target: form(part(target.photo, filename="../../../etc/passwd")),
)
plain(
    "a file named with markup and a line break",
    lambda target: form(part(target.photo, filename="<script>%0d%0aX-B: c")),
)
plain(
    "a file's name that is no UTF-8", lambda target: form(part(target.photo, filename="\xff\xfe"))
)
plain(
    "a file's coding (`Content-Transfer-Encoding: base64`)",
    lambda _: form(b"Content-Transfer-Encoding: base64\r\n" + part(b"!!!not base64")),
)
