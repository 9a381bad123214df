"""The routes for people: an image to /classify or /detect, the answer as a run writes it."""

from __future__ import annotations

import json
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from farm.results.answer_format import format_of
from farm.results.result import Result
from farm.results.writers import as_dict
from farm.serving.service import Service

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


def routes(service: Service) -> list[Route]:
    """Return the path of the farm's task, and refusals of those of other tasks."""
    answers = format_of(service.config.task)

    async def answer(request: Request) -> Response:
        body = await request.body()
        (result,) = await service.infer([body])
        return as_json(as_dict(result, answers), status_of(result))

    return [Route("/classify", answer, methods=["POST"])]


def status_of(result: Result) -> int:
    """Return the status of a request of one image."""
    return 200 if result.error is None else STATUS.get(result.error.kind, OTHER_STATUS)


def as_json(content: Any, status: int = 200) -> Response:
    """Return a response as a line of a run's results."""
    return Response(json.dumps(content) + "\n", status, media_type="application/json")
