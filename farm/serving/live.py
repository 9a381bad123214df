"""`/` and `/events`: the page that shows a farm live, and what it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from farm.serving.events import DRAINING, LOST, READY, Now, events, seen_by
from farm.serving.pages import live_page
from farm.serving.people import path_of
from farm.serving.service import RequestError, Service

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

MOST_VIEWERS: Final = 32
NOT_KEPT: Final = {"Cache-Control": "no-store"}


class Stream(StreamingResponse):
    """A stream of events that is counted as a viewer as long as it lasts."""

    def __init__(self, service: Service, seen: int) -> None:
        self._results = service.last_results
        super().__init__(
            events(lambda: now(service), self._results.newer, seen),
            media_type="text/event-stream",
            headers={**NOT_KEPT, "X-Accel-Buffering": "no"},  # nginx passes each on at once
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        self._results.watched += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._results.watched -= 1


def routes(service: Service) -> list[Route]:
    """Return the page and its stream."""
    page = live_page(
        service.name,
        path_of(service.config.task),
        most_bytes=service.limits.body_bytes,
        thumbnails=service.last_results.thumbnails,
    )

    async def live(_: Request) -> Response:
        return HTMLResponse(page.html, headers={**NOT_KEPT, "Content-Security-Policy": page.policy})

    async def stream(request: Request) -> Response:
        if service.last_results.watched >= MOST_VIEWERS:
            message = f"{MOST_VIEWERS} viewers look already: close one of them"
            raise RequestError(503, "too_many_viewers", message, {"Retry-After": "10"})
        return Stream(service, seen_by(request.headers.get("last-event-id")))

    return [Route("/", live), Route("/events", stream)]


def now(service: Service) -> Now:
    """Return what there is to see of a service."""
    life = DRAINING if service.draining else READY if service.ready else LOST
    return Now(life, service.snapshot)
