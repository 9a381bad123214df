"""The protocol's routes, with a farm of our words behind them."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from starlette.applications import Starlette
from tritonclient.http import InferenceServerClient

from farm.results.result import Result
from farm.serving import oip
from farm.serving.limits import Limits
from farm.serving.refusals import answer_error
from farm.serving.service import RequestError, Service
from tests.helpers.results import HEN, TENCH, classified, failed
from tests.helpers.triton import encoded, outputs

GOOD, BAD, DEAD = (
    classified(TENCH, HEN),
    failed("truncated", "cut short"),
    failed("worker_died", "3 times"),
)
ANSWERS = {b"good": GOOD, b"bad": BAD, b"dead": DEAD}


class Words:
    """A service of a farm that knows three images, and what it was asked."""

    name = "m"
    config = SimpleNamespace(task="classify")
    farm = SimpleNamespace(plan=SimpleNamespace(runtime="onnx"))
    limits = Limits(images=4, body_bytes=10_000)
    ready = True
    timeout: float | None = None

    async def infer(self, items: Sequence[Any], *, timeout: float | None = None) -> list[Result]:
        self.timeout = timeout
        return [ANSWERS[item] for item in items]


def ask(method: str, path: str, service: Words | None = None, **options: Any) -> httpx.Response:
    app = Starlette(
        routes=oip.routes(cast("Service", service or Words())),
        exception_handlers={RequestError: answer_error},
    )

    async def answer() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://farm") as client:
            return await client.request(method, path, **options)

    return asyncio.run(answer())


def infer(*images: bytes, service: Words | None = None, **options: Any) -> httpx.Response:
    """The answer to tritonclient's request."""
    body, size = InferenceServerClient.generate_request_body([encoded(*images)], **options)
    headers = {"Inference-Header-Content-Length": str(size)}
    return ask("POST", "/v2/models/m/infer", service, content=body, headers=headers)


def errors_of(answer: httpx.Response) -> list[bytes]:
    assert answer.status_code == 200, answer.text
    read = InferenceServerClient.parse_response_body(
        answer.content, header_length=int(answer.headers["Inference-Header-Content-Length"])
    )
    found: list[bytes] = read.as_numpy("errors").tolist()
    return found


@pytest.mark.parametrize("path", ["/v2/health/ready", "/v2/models/m/ready"])
@pytest.mark.parametrize("ready", [True, False])
def test_ready_is_while_the_service_is(path: str, ready: bool) -> None:
    service = Words()
    service.ready = ready
    answer = ask("GET", path, service)
    assert (answer.status_code, answer.json()["ready"]) == (200 if ready else 503, ready)
    assert ask("GET", "/v2/health/live", service).json() == {"live": True}


@pytest.mark.parametrize("path", ["", "/versions/1"])
def test_a_model_is_told_with_its_version_and_without(path: str) -> None:
    assert ask("GET", f"/v2/models/m{path}").json()["name"] == "m"
    assert ask("GET", f"/v2/models/m{path}/config").json()["name"] == "m"
    assert ask("GET", f"/v2/models/m{path}/ready").json() == {"name": "m", "ready": True}


@pytest.mark.parametrize("path", ["/other", "/m/versions/2", "/m/versions/one", "/%2e%2e"])
@pytest.mark.parametrize("end", ["", "/ready", "/config", "/infer"])
def test_another_model_or_version_is_not_found(path: str, end: str) -> None:
    answer = ask("POST" if end == "/infer" else "GET", f"/v2/models{path}{end}")
    assert answer.status_code == 404
    assert "unknown" in answer.json()["error"]


def test_models_are_the_one() -> None:
    assert ask("GET", "/v2/models").json() == {"models": ["m"]}


def test_one_bad_image_does_not_spoil_the_others() -> None:
    assert errors_of(infer(b"good", b"bad", b"good")) == [b"", b"truncated: cut short", b""]


def test_a_bad_image_that_nothing_would_tell_of_fails_the_request() -> None:
    answer = infer(b"good", b"bad", outputs=outputs("classes"))
    assert answer.status_code == 422
    assert answer.json()["error"].startswith("image 1: truncated: cut short; ask for the output")
    assert infer(b"good", b"good", outputs=outputs("classes")).status_code == 200


@pytest.mark.parametrize(
    ("images", "status", "words"),
    [
        ((b"bad",), 422, "truncated: cut short"),
        ((b"bad", b"dead"), 422, "image 0: truncated: cut short"),
        ((b"dead",), 500, "worker_died: 3 times"),
    ],
)
def test_a_request_of_bad_images_alone_fails(
    images: tuple[bytes, ...], status: int, words: str
) -> None:
    answer = infer(*images)
    assert (answer.status_code, answer.json()["error"]) == (status, words)


def test_the_time_limit_is_the_client_s() -> None:
    service = Words()
    infer(b"good", service=service, timeout=250_000)
    assert service.timeout == 0.25


def test_a_compressed_body_is_limited_as_it_will_be() -> None:
    body, size = InferenceServerClient.generate_request_body([encoded(b"good")])
    headers = {"Content-Encoding": "gzip", "Inference-Header-Content-Length": str(size)}
    path = "/v2/models/m/infer"
    answer = ask("POST", path, content=gzip.compress(body), headers=headers)
    assert errors_of(answer) == [b""]
    bomb = gzip.compress(body + bytes(10_000))
    assert ask("POST", path, content=bomb, headers=headers).status_code == 413
    assert ask("POST", path, content=b"", headers={"Content-Encoding": "br"}).status_code == 415


def test_an_answer_without_binary_tensors_is_json() -> None:
    answer = infer(b"good", outputs=outputs("classes", binary=False), request_id="42")
    assert answer.headers["Content-Type"] == "application/json"
    assert "Inference-Header-Content-Length" not in answer.headers
    assert json.loads(answer.content)["id"] == "42"
