"""The routes for people: images to /classify or /detect, answers as a run writes them."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from farm.results.answer_format import BUILT_IN, AnswerFormat, format_of
from farm.results.result import Result
from farm.results.writers import as_dict
from farm.serving.form import MULTIPART, parse
from farm.serving.limits import LONGEST_TIMEOUT, SHORTEST_TIMEOUT
from farm.serving.service import RequestError, Service

# What an error of one image is in HTTP: the client's, or the farm's.
STATUS: Final = {
    "too_large": 413,
    "too_many_pixels": 413,
    "not_an_image": 415,
    "bad_output": 500,
    "task_failed": 500,
    "worker_died": 500,
    "no_memory": 503,
}
OTHER_STATUS: Final = 422
OWN_TASK: Final = "infer"  # the path of a task of the user's
TIMEOUT: Final = "timeout"
TIMEOUT_HEADER: Final = "x-timeout"

Endpoint = Callable[[Request], Awaitable[Response]]


def routes(service: Service) -> list[Route]:
    """Return the path of the farm's task, and refusals at those of other tasks."""
    ours = path_of(service.config.task)
    others = {*BUILT_IN, OWN_TASK} - {ours}
    return [
        Route(f"/{ours}", answering(service), methods=["POST"]),
        *(Route(f"/{path}", refusing(path, ours), methods=["GET", "POST"]) for path in others),
    ]


def path_of(task: str) -> str:
    """Return the path, without its slash, at which a farm with this task answers."""
    return task if task in BUILT_IN else OWN_TASK


def answering(service: Service) -> Endpoint:
    """Return what answers images with the farm's task."""
    answers = format_of(service.config.task)

    async def answer(request: Request) -> Response:
        headers = request.headers
        if headers.get("content-encoding", "identity") != "identity":
            raise RequestError(415, "encoded", "the body is compressed; send it as it is")
        body, kind = await request.body(), headers.get("content-type", "")
        asked = [request.query_params.get(TIMEOUT), headers.get(TIMEOUT_HEADER)]
        if not kind.lower().startswith(MULTIPART):
            results = await service.infer([body], timeout=shortest(asked))
            return response_of(results, answers)
        form = parse(body, kind, images=service.limits.images, fields=(TIMEOUT,))
        seconds = shortest([*asked, form.fields.get(TIMEOUT)])
        results = await service.infer([each.data for each in form.uploads], timeout=seconds)
        names = [each.name for each in form.uploads]
        named = [replace(each, path=name) for each, name in zip(results, names, strict=True)]
        return response_of(named, answers)

    return answer


def refusing(path: str, ours: str) -> Endpoint:
    """Return what refuses requests for another task."""

    async def refuse(_: Request) -> Response:
        message = f"this farm does not {path}; send images to /{ours}"
        raise RequestError(404, "other_task", message)

    return refuse


def shortest(said: Sequence[str | None]) -> float | None:
    """Return the shortest of the time limits that a client has said; see `seconds_of`."""
    return min((seconds_of(each) for each in said if each is not None), default=None)


def seconds_of(said: str) -> float:
    """Return a time limit as a client says it; raises RequestError for what is none."""
    try:
        seconds = float(said)
    except ValueError:
        seconds = math.nan
    if not SHORTEST_TIMEOUT <= seconds <= LONGEST_TIMEOUT:
        message = f"{TIMEOUT} {said[:40]!r}: write a number of seconds, from 0.001 to 86400"
        raise RequestError(400, "bad_timeout", message)
    return seconds


def response_of(results: Sequence[Result], answers: AnswerFormat) -> Response:
    """Return one result as an object, with the status of its error; several as a list."""
    if len(results) == 1:
        return as_json(as_dict(results[0], answers), status_of(results[0]))
    return as_json([as_dict(each, answers) for each in results])


def status_of(result: Result) -> int:
    """Return the status of a request of one image."""
    return 200 if result.error is None else STATUS.get(result.error.kind, OTHER_STATUS)


def as_json(content: Any, status: int = 200) -> Response:
    """Return a response as a line of a run's results."""
    return Response(msgspec.json.encode(content) + b"\n", status, media_type="application/json")
