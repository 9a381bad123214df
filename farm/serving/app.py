"""The application: all routes, and what a request passes on its way to them."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect

from farm.errors import FarmError
from farm.serving import documentation, live, metrics, oip, people
from farm.serving.gate import Gate
from farm.serving.metrics import CountedRequests, Metrics
from farm.serving.refusals import answer_error
from farm.serving.security import Access
from farm.serving.service import Service


def make_app(service: Service, access: Access = Access()) -> Starlette:  # noqa: B008 - frozen
    """Return the application of a service."""
    figures = Metrics(lambda: service.snapshot)
    routes = [
        *live.routes(service),
        *people.routes(service),
        *oip.routes(service),
        *metrics.routes(figures),
        *documentation.routes(service, tokens=bool(access.tokens)),
    ]
    middleware = [
        Middleware(CountedRequests, metrics=figures, routes=routes),
        Middleware(Gate, service=service, access=access),
    ]
    if access.origins:  # before the gate: a browser asks without a token whether it may
        cors = Middleware(
            CORSMiddleware,
            allow_origins=access.origins,
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            expose_headers=["*"],
        )
        middleware.insert(0, cors)
    return Starlette(
        routes=routes,
        middleware=middleware,
        exception_handlers={
            FarmError: answer_error,
            HTTPException: answer_error,
            ClientDisconnect: answer_error,
            Exception: answer_error,  # a mistake of ours, which is logged
        },
    )
