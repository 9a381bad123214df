"""`/metrics`: the last snapshot and this server's own counts, for Prometheus."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, InfoMetricFamily
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from farm import __version__
from farm.serving.metric_families import families
from farm.watch.prometheus import PREFIX, labelled
from farm.watch.snapshot import Snapshot

if TYPE_CHECKING:
    from prometheus_client.core import Metric
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER: Final = "other"  # whatever clients invent, the number of series stays bounded
FAILED: Final = 500  # what a request is answered with whose handler raised


class Metrics:
    """Shows the `last` snapshot and the requests that were counted; it is a Collector."""

    def __init__(self, last: Callable[[], Snapshot | None]) -> None:
        self._last = last
        self._requests: Counter[tuple[str, str, str]] = Counter()
        self._registry = CollectorRegistry()  # our own: nothing of this process's is global
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def count(self, method: str, path: str, status: int) -> None:
        """Count an answered request; `path` is that of its route, empty if there was none."""
        known = method if method in METHODS else OTHER
        self._requests[known, path or OTHER, f"{status}"] += 1

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics, as the registry asks for them."""
        yield InfoMetricFamily(
            f"{PREFIX}_build",
            "Which npu-farm runs, by which Python; constant 1.",
            {"version": __version__, "python": platform.python_version()},
        )
        yield labelled(
            CounterMetricFamily(
                f"{PREFIX}_http_requests",
                "HTTP requests by the path of their route and the status of their answer.",
                labels=("method", "path", "status"),
            ),
            self._requests.items(),
        )
        if (snapshot := self._last()) is not None:
            yield from families(snapshot)

    def answer(self, accept: str) -> tuple[bytes, str]:
        """Return all metrics in the format that an Accept header asks for, and its content type."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type


def routes(metrics: Metrics) -> list[Route]:
    """Return the path at which Prometheus asks."""

    async def scraped(request: Request) -> Response:
        content, content_type = metrics.answer(request.headers.get("accept", ""))
        return Response(content, headers={"Content-Type": content_type})

    return [Route("/metrics", scraped)]


class CountedRequests:
    """Counts the requests of an app with these routes, by method, route and status."""

    def __init__(self, app: ASGIApp, metrics: Metrics, routes: Sequence[Route]) -> None:
        self._app, self._metrics = app, metrics
        # Of what is reached by several paths, the first one.
        self._paths: dict[Any, str] = {route.endpoint: route.path for route in reversed(routes)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = FAILED

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, seen)
        finally:
            path = self._paths.get(scope.get("endpoint"), "")
            self._metrics.count(scope["method"], path, status)
