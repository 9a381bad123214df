"""Requests of the Open Inference Protocol that are not what the protocol says, or lie."""

from __future__ import annotations

import json
from typing import Any, Final

from tests.helpers.raw_http import request
from tests.hostile.case import IMAGES, Target, plain, post

DEEP: Final = 100_000
DIGITS: Final = "9" * 100_000


def infer(target: Target, body: bytes, *headers: str) -> bytes:
    """Return a request for this model."""
    return post(body, *headers, path=f"/v2/models/{target.model}/infer")


def raw(row: str, body: bytes, *headers: str) -> None:
    """Make a request with this body the case of a row."""
    plain(row, lambda target: infer(target, body, *headers))


def tensor(**changes: Any) -> dict[str, Any]:
    """Return an input with an image of 8 x 8 pixels as JSON, with `changes`."""
    honest = {"name": "pixels", "datatype": "UINT8", "shape": [1, 8, 8, 3], "data": [7] * 192}
    return {**honest, **changes}


def told(row: str, *inputs: Any, **changes: Any) -> None:
    """Make a request with these inputs the case of a row."""
    raw(row, json.dumps({"inputs": list(inputs), **changes}).encode())


def binary(row: str, data: bytes, *, said: Any, length: str | None = None, **changes: Any) -> None:
    """Make a request with binary data, of which it says that it has `said` bytes, a case.

    `length` is what it says of its JSON's length, in place of the true one.
    """
    parameters = {"binary_data_size": said}
    given = {"name": "images", "datatype": "BYTES", "shape": [1], "parameters": parameters}
    head = json.dumps({"inputs": [{**given, **changes}]}).encode()
    size = f"Inference-Header-Content-Length: {len(head) if length is None else length}"
    raw(row, head + data, size)


def sized(data: bytes, size: int | None = None) -> bytes:
    """Return an element of BYTES: its size as it says it, and its bytes."""
    return (len(data) if size is None else size).to_bytes(4, "little") + data


raw("no JSON", b"{inputs: 1}")
raw("JSON that is no object", b"[1, 2]")
raw("JSON that is no UTF-8", b'{"inputs": "\xff"}')
raw("JSON without inputs", b"{}")
raw("JSON 100,000 deep", b'{"inputs": ' + b"[" * DEEP + b"]" * DEEP + b"}")
raw("JSON 100,000 objects deep", b'{"a": ' * DEEP + b"1" + b"}" * DEEP)
raw("a number of 100,000 digits", f'{{"inputs": [], "id": {DIGITS}}}'.encode())
raw("`1e999` as a pixel", json.dumps({"inputs": [tensor()]}).replace("7", "1e999", 1).encode())
raw("`NaN` as a pixel", json.dumps({"inputs": [tensor(data=[float("nan")] * 192)]}).encode())
told("an input that is no object", 7)
told("inputs without end: 10,000", *[tensor(data=[], shape=[0])] * 10_000)
told("an input of another name's", tensor(name="text"))
told("a data type that is none", tensor(datatype="COMPLEX128"))
told("a data type that the model does not take", tensor(datatype="FP32"))
told("a shape of letters", tensor(shape="1x8x8x3"))
told("a shape below zero", tensor(shape=[-1, 8, 8, 3]))
told("a shape with halves", tensor(shape=[1, 8.5, 8, 3]))
told("a shape of true and false", tensor(shape=[True, 8, 8, 3]))
told("a shape of nothing", tensor(shape=[]))
told("a shape of 2^40 pixels, and a few", tensor(shape=[1, 2**20, 2**20, 3]))
told("a shape whose product is 2^64 times too large", tensor(shape=[2**32, 2**32, 2**32, 3]))
told("a shape of 1,000 dimensions", tensor(shape=[1] * 1000))
told("a shape that says more than there is", tensor(shape=[2, 8, 8, 3]))
told("a shape that says less than there is", tensor(shape=[1, 4, 8, 3]))
told("no image at all", tensor(shape=[0, 8, 8, 3], data=[]))
told("an image without pixels", tensor(shape=[1, 0, 8, 3], data=[]))
told("pixels above 255", tensor(data=[256] * 192))
told("pixels below 0", tensor(data=[-1] * 192))
told("pixels as text", tensor(data=["7"] * 192))
told("pixels as true and false", tensor(data=[True] * 192))
told("images that are numbers", tensor(name="images", datatype="BYTES", shape=[1], data=[7]))
told("a path as an image", tensor(name="images", datatype="BYTES", shape=[1], data=["/etc/passwd"]))
told(
    "a URL as an image",
    tensor(name="images", datatype="BYTES", shape=[1], data=["file:///etc/passwd"]),
)
told(
    "more images than the limit", tensor(shape=[IMAGES + 1, 8, 8, 3], data=[7] * 192 * (IMAGES + 1))
)
told("an `id` of 1 MB less", tensor(), id="a" * 900_000)
told("an `id` with line breaks", tensor(), id="a\r\nX-B: c")
told("a `timeout` of letters", tensor(), parameters={"timeout": "soon"})
told("a `timeout` below zero", tensor(), parameters={"timeout": -1})
told("a `timeout` of 10^30", tensor(), parameters={"timeout": 10**30})
told("an output that the model does not have", tensor(), outputs=[{"name": "secrets"}])
told(
    "10^9 classes of each image",
    tensor(),
    outputs=[{"name": "scores", "parameters": {"classification": 10**9}}],
)
told(
    "classes below zero",
    tensor(),
    outputs=[{"name": "scores", "parameters": {"classification": -1}}],
)
told(
    "shared memory (`shared_memory_region`)",
    tensor(parameters={"shared_memory_region": "/etc/passwd", "shared_memory_byte_size": 8}),
)

binary("binary data that is shorter than it says", sized(b"abc"), said=1000)
binary("binary data that is longer than it says", sized(b"abc") + b"more", said=7)
binary("binary data of size -1", sized(b"abc"), said=-1)
binary("binary data of size 2^63", sized(b"abc"), said=2**63)
binary("binary data whose size is text", sized(b"abc"), said="7")
binary("an image that says that it has 4 GB", sized(b"abc", 2**32 - 1), said=7)
binary("images fewer than the shape says", sized(b"abc"), said=7, shape=[2])
binary("images more than the shape says", sized(b"abc") * 2, said=14)
binary("more images than the limit, in binary", sized(b"") * 10_000, said=40_000, shape=[10_000])
binary("half the size of an image", b"\1\0", said=2)
binary(
    "pixels fewer than the shape says",
    bytes(100),
    said=100,
    name="pixels",
    datatype="UINT8",
    shape=[1, 8, 8, 3],
)
binary(
    "pixels of 2^40 bytes, of which 100 are there",
    bytes(100),
    said=2**40,
    name="pixels",
    datatype="UINT8",
    shape=[1, 2**19, 2**20, 2],
)
binary("JSON longer than the body", sized(b"abc"), said=7, length="1000000")
binary("JSON of length -1", sized(b"abc"), said=7, length="-1")
binary("JSON whose length is no number", sized(b"abc"), said=7, length="1e3")
binary("JSON of length 0", sized(b"abc"), said=7, length="0")

plain("a model that is not there", lambda _: request("GET", "/v2/models/nobody"))
plain(
    "a version that is not there",
    lambda target: request("GET", f"/v2/models/{target.model}/versions/7"),
)
plain(
    "loading another model (`/v2/repository/models/a/load`)",
    lambda _: post(b"{}", path="/v2/repository/models/a/load"),
)
