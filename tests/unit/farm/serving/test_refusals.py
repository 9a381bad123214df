"""How errors are answered."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from farm.serving.refusals import answer_error
from farm.serving.service import RequestError


def answered(path: str, error: Exception) -> tuple[int, dict[str, str], Any]:
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}
    request = Request({**scope, "server": ("localhost", 8000)})
    response = asyncio.run(answer_error(request, error))
    return response.status_code, dict(response.headers), json.loads(bytes(response.body))


BUSY = RequestError(429, "busy", "256 images are waiting", {"Retry-After": "2"})


def test_a_refusal_has_its_kind_its_words_and_its_headers() -> None:
    status, headers, content = answered("/classify", BUSY)
    assert (status, headers["retry-after"]) == (429, "2")
    assert content == {"error": {"kind": "busy", "message": "256 images are waiting"}}


def test_the_open_inference_protocol_has_words_alone() -> None:
    assert answered("/v2/models/x/infer", BUSY)[2] == {"error": "256 images are waiting"}


@pytest.mark.parametrize(("status", "kind"), [(404, "not_found"), (405, "method_not_allowed")])
def test_what_starlette_refuses_has_a_kind(status: int, kind: str) -> None:
    found, _, content = answered("/x", HTTPException(status))
    assert (found, content["error"]["kind"]) == (status, kind)


def test_a_mistake_of_ours_says_nothing_of_itself() -> None:
    status, _, content = answered("/x", ValueError("secret"))
    assert (status, content["error"]["kind"]) == (500, "internal")
    assert "secret" not in str(content)
