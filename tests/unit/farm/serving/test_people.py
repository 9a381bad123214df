"""Images from people, and what they get for them; the farm is made of our words."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from starlette.applications import Starlette

from farm.results.result import Result
from farm.serving import people
from farm.serving.limits import Limits
from farm.serving.people import path_of, seconds_of, status_of
from farm.serving.refusals import answer_error
from farm.serving.service import RequestError, Service
from tests.helpers.results import BUS, HEN, TENCH, classified, detected, failed, result

ANSWERS = {b"hen": classified(HEN), b"tench": classified(TENCH), b"bad": failed("truncated", "cut")}


class Words:
    """A service of a farm that knows a few images, and the time limits that it was given."""

    limits = Limits(images=3)

    def __init__(self, task: str = "classify") -> None:
        self.config = SimpleNamespace(task=task)
        self.timeouts: list[float | None] = []

    async def infer(self, items: Sequence[Any], *, timeout: float | None = None) -> list[Result]:
        self.timeouts.append(timeout)
        return [ANSWERS[item] for item in items]


def post(path: str, service: Words | None = None, **options: Any) -> httpx.Response:
    app = Starlette(
        routes=people.routes(cast("Service", service or Words())),
        exception_handlers={RequestError: answer_error},
    )

    async def answer() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://farm") as client:
            return await client.post(path, **options)

    return asyncio.run(answer())


def files(*contents: bytes) -> list[tuple[str, tuple[str, bytes]]]:
    return [("image", (f"{content.decode()}.jpg", content)) for content in contents]


def test_an_image_is_answered_as_a_run_writes_it() -> None:
    answer = post("/classify", content=b"hen")
    assert answer.status_code == 200
    assert answer.json()["top5"] == [{"class": 0, "label": "hen", "score": 0.25}]
    assert answer.json().keys() == {
        "id", "path", "top5", "error", "worker", "attempts", "ms", "simulated"
    }  # fmt: skip


def test_a_bad_image_has_a_status_and_the_error_of_a_run() -> None:
    answer = post("/classify", content=b"bad")
    assert answer.status_code == 422
    assert answer.json()["error"] == {"kind": "truncated", "message": "cut"}


def test_the_image_of_a_form_has_its_name() -> None:
    answer = post("/classify", files=files(b"tench"))
    assert (answer.status_code, answer.json()["path"]) == (200, "tench.jpg")


def test_images_of_a_form_are_answered_in_order_whatever_one_of_them_is() -> None:
    answer = post("/classify", files=files(b"hen", b"bad", b"tench"))
    assert answer.status_code == 200
    assert [each["path"] for each in answer.json()] == ["hen.jpg", "bad.jpg", "tench.jpg"]
    assert [each["error"] is None for each in answer.json()] == [True, False, True]


def test_more_images_than_allowed_are_refused() -> None:
    assert post("/classify", files=files(b"hen", b"hen", b"hen", b"hen")).status_code == 413


def test_the_time_limit_comes_from_the_query_a_form_or_a_header() -> None:
    service = Words()
    post("/classify", service, content=b"hen")
    post("/classify?timeout=1.5", service, content=b"hen")
    post("/classify", service, content=b"hen", headers={"X-Timeout": "2"})
    post("/classify", service, files=files(b"hen"), data={"timeout": "3"})
    assert service.timeouts == [None, 1.5, 2.0, 3.0]


def test_of_several_time_limits_the_shortest_counts_and_each_must_be_one() -> None:
    service = Words()
    url = "/classify?timeout=2"
    post(url, service, content=b"hen", headers={"X-Timeout": "1"})
    post(url, service, files=files(b"hen"), data={"timeout": "3"})
    assert service.timeouts == [1.0, 2.0]
    assert post(url, content=b"hen", headers={"X-Timeout": "soon"}).status_code == 400


@pytest.mark.parametrize("said", ["0", "-1", "nan", "inf", "soon", "", "1e999"])
def test_what_is_no_time_limit_is_refused(said: str) -> None:
    with pytest.raises(RequestError, match="timeout") as refusal:
        seconds_of(said)
    assert refusal.value.status == 400


def test_a_compressed_body_is_refused() -> None:
    answer = post("/classify", content=b"hen", headers={"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["error"]["kind"]) == (415, "encoded")


@pytest.mark.parametrize(
    ("task", "ours", "others"),
    [
        ("classify", "classify", ["detect", "infer"]),
        ("detect", "detect", ["classify", "infer"]),
        ("package.module:name", "infer", ["classify", "detect"]),
    ],
)
def test_each_task_has_its_path_and_the_others_say_which(
    task: str, ours: str, others: list[str]
) -> None:
    assert path_of(task) == ours
    for other in others:
        answer = post(f"/{other}", Words(task), content=b"hen")
        assert (answer.status_code, answer.json()["error"]["kind"]) == (404, "other_task")
        assert f"/{ours}" in answer.json()["error"]["message"]


def test_objects_and_outputs_are_those_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ANSWERS, b"bus", detected(BUS))
    monkeypatch.setitem(ANSWERS, b"own", result(output={"plate": "AB"}))
    assert post("/detect", Words("detect"), content=b"bus").json()["objects"][0]["label"] == "bus"
    assert post("/infer", Words("a.b:c"), content=b"own").json()["output"] == {"plate": "AB"}


@pytest.mark.parametrize(
    ("kind", "status"), [("not_an_image", 415), ("truncated", 422), ("worker_died", 500)]
)
def test_an_error_is_the_clients_or_the_farms(kind: str, status: int) -> None:
    assert status_of(failed(kind, "why")) == status
