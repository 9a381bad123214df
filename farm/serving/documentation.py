"""`/openapi.json` and `/docs`: what can be asked, for programs and for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from farm.serving.docs_page import docs_page
from farm.serving.oip_api import operations as oip_operations
from farm.serving.openapi import Operation, document
from farm.serving.people import path_of
from farm.serving.people_api import TEXT, operation
from farm.serving.service import Service

METRICS: Final = Operation(
    path="/metrics",
    face="Watching",
    summary="Figures for Prometheus",
    answer={"text/plain": TEXT},
    example="curl URL/metrics",
)


def table(service: Service) -> Sequence[Operation]:
    """Return all that programs can ask of a service."""
    task = service.config.task
    return (operation(f"/{path_of(task)}", task), METRICS, *oip_operations(service.name))


def routes(service: Service, *, tokens: bool) -> list[Route]:
    """Return the document, and the page that is made of it."""
    operations = table(service)

    async def described(request: Request) -> Response:
        root_path = request.scope.get("root_path", "")
        return JSONResponse(
            document(operations, name=service.name, root_path=root_path, tokens=tokens)
        )

    async def shown(request: Request) -> Response:
        page = docs_page(service.name, operations, str(request.base_url).rstrip("/"))
        return HTMLResponse(page.html, headers={"Content-Security-Policy": page.policy})

    return [Route("/openapi.json", described), Route("/docs", shown)]
