from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from farm.serving import live
from farm.serving.events import DRAINING, LOST, READY
from farm.serving.last_results import LastResults
from farm.serving.limits import Limits
from farm.serving.refusals import answer_error
from farm.serving.service import RequestError
from tests.helpers.snapshots import a_snapshot


def a_service(**changes: Any) -> Any:
    return SimpleNamespace(
        **{
            "name": "glyphs",
            "limits": Limits(),
            "config": SimpleNamespace(task="classify"),
            "last_results": LastResults(1, thumbnails=False),
            "snapshot": a_snapshot(),
            "ready": True,
            "draining": False,
            **changes,
        }
    )


def get(service: Any, path: str) -> httpx.Response:
    app = Starlette(routes=live.routes(service), exception_handlers={RequestError: answer_error})

    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://npu") as client:
            return await client.get(path)

    return asyncio.run(asked())


def test_the_page_is_not_kept_and_has_its_policy() -> None:
    answer = get(a_service(), "/")
    assert answer.headers["cache-control"] == "no-store"
    assert "script-src 'sha256-" in answer.headers["content-security-policy"]


@pytest.mark.anyio
def test_a_viewer_is_counted_as_long_as_it_looks() -> None:
    service = a_service(draining=True)  # so that its stream ends
    answer = get(service, "/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert b'"life":"draining"' in answer.content
    assert service.last_results.watched == 0


@pytest.mark.anyio
def test_viewers_are_bounded() -> None:
    service = a_service()
    service.last_results.watched = live.MOST_VIEWERS
    answer = get(service, "/events")
    assert answer.status_code == 503
    assert answer.json()["error"]["kind"] == "too_many_viewers"
    assert int(answer.headers["retry-after"]) > 0
    assert service.last_results.watched == live.MOST_VIEWERS


@pytest.mark.parametrize(
    ("ready", "draining", "life"),
    [(True, False, READY), (False, False, LOST), (False, True, DRAINING), (True, True, DRAINING)],
)
def test_what_a_viewer_is_told_of_the_service(ready: bool, draining: bool, life: str) -> None:
    service = a_service(ready=ready, draining=draining)
    assert live.now(service).life == life
