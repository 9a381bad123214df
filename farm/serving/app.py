"""The application: all routes, and how errors are answered."""

from __future__ import annotations

from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from farm.serving import live, metrics, oip, people
from farm.serving.metrics import CountedRequests, Metrics
from farm.serving.service import RequestError, Service

OIP: Final = "/v2"  # the Open Inference Protocol has errors of its own form
KINDS: Final = {404: "not_found", 405: "method_not_allowed"}  # of what Starlette refuses


def make_app(service: Service) -> Starlette:
    """Return the application of a service."""
    figures = Metrics(lambda: service.snapshot)
    return Starlette(
        routes=[
            *live.routes(service),
            *people.routes(service),
            *oip.routes(service),
            *metrics.routes(figures),
        ],
        middleware=[Middleware(CountedRequests, metrics=figures)],
        exception_handlers={
            RequestError: answer_error,
            HTTPException: answer_error,
            ClientDisconnect: answer_error,
            Exception: answer_error,  # a mistake of ours, which is logged
        },
    )


async def answer_error(request: Request, error: Exception) -> Response:
    """Answer a request that has failed, in the form of the protocol that its path belongs to."""
    path = request.url.path
    match error:
        case RequestError():
            refusal = error
        case HTTPException(status_code=status, detail=detail):
            message = f"{request.method} {path}: {detail}"
            refusal = RequestError(status, KINDS.get(status, "invalid"), message, error.headers)
        case ClientDisconnect():
            refusal = RequestError(400, "cut_off", "the request ended before all of it came")
        case _:
            refusal = RequestError(500, "internal", "a mistake in npu-farm, whose log says more")
    content = str(refusal) if path.startswith(OIP) else refusal.as_dict()
    return JSONResponse({"error": content}, refusal.status, refusal.headers)
