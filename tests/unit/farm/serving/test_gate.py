"""What passes the gate: one request at a time, with an application behind it that tells."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from farm.errors import FarmError
from farm.serving.gate import Gate
from farm.serving.limits import Limits
from farm.serving.refusals import answer_error
from farm.serving.security import Access
from farm.serving.service import Service
from tests.helpers.support import simulated

LIMITS = Limits(body_bytes=10, held_bytes=15, queue=2)


def service() -> Service:
    farm = cast("Any", SimpleNamespace(config=simulated()))
    return Service(farm, name="m", limits=LIMITS, thumbnails=False)


def ask(behind: Service, *, access: Access = Access(), **options: Any) -> httpx.Response:  # noqa: B008
    async def echo(request: Request) -> Response:
        body = await request.body()
        assert behind.held_bytes == len(body)
        return Response(body)

    app = Starlette(
        routes=[Route("/classify", echo, methods=["GET", "POST"])],
        middleware=[Middleware(Gate, service=behind, access=access)],
        exception_handlers={FarmError: answer_error},
    )

    async def answer() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(**{"method": "POST", "url": "/classify", **options})

    return asyncio.run(answer())


async def pieces(*sizes: int) -> AsyncIterator[bytes]:
    for size in sizes:
        yield b"x" * size


def test_a_body_passes_and_is_held_no_longer_than_its_request() -> None:
    behind = service()
    assert ask(behind, content=b"0123456789").content == b"0123456789"
    assert behind.held_bytes == 0


def test_a_body_is_refused_by_the_length_that_it_declares() -> None:
    behind = service()
    answer = ask(behind, content=b"x" * 11)
    assert (answer.status_code, answer.json()["error"]["kind"]) == (413, "too_large")


def test_a_body_without_a_length_is_refused_while_it_comes() -> None:
    behind = service()
    assert ask(behind, content=pieces(5, 5)).status_code == 200
    assert ask(behind, content=pieces(5, 5, 1)).status_code == 413
    assert behind.held_bytes == 0


def test_bodies_are_bounded_together() -> None:
    behind = service()
    behind.held_bytes = 8  # of other requests
    with pytest.raises(AssertionError):  # the echo's own count
        ask(behind, content=pieces(7))
    answer = ask(behind, content=pieces(8))
    assert (answer.status_code, answer.json()["error"]["kind"]) == (429, "busy")
    assert answer.headers["retry-after"] == "1"
    assert behind.held_bytes == 8


def test_with_a_full_queue_a_body_is_not_even_read() -> None:
    behind = service()
    behind.outstanding = 2
    assert ask(behind, content=b"x").status_code == 429
    assert ask(behind, method="GET").status_code == 200


def test_a_service_that_drains_takes_nothing_in() -> None:
    behind = service()
    behind.draining = True
    answer = ask(behind, content=b"x")
    assert (answer.status_code, answer.json()["error"]["kind"]) == (503, "stopping")
    assert answer.headers["connection"] == "close"


def test_who_may_not_come_is_refused_in_json() -> None:
    answer = ask(service(), access=Access(tokens=(b"0123456789abcdef",)), method="GET")
    assert answer.status_code == 401
    assert json.loads(answer.text)["error"]["kind"] == "no_token"


def test_a_root_path_is_no_part_of_a_path() -> None:
    """Probes stay open behind a reverse proxy."""
    scope = {"type": "http", "method": "GET", "path": "/npu/v2/health/live", "root_path": "/npu"}
    gate = Gate(cast("Any", passed), service(), Access(tokens=(b"0123456789abcdef",)))
    with pytest.raises(PassedError):
        asyncio.run(gate({**scope, "headers": []}, cast("Any", None), cast("Any", None)))


class PassedError(Exception):
    pass


async def passed(*_: object) -> None:
    raise PassedError
