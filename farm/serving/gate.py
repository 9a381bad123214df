"""What each request passes on its way to the routes, and what its body may be."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from farm.serving.refusals import answer_error
from farm.serving.security import Access
from farm.serving.service import RequestError, Service


class Gate:
    """The application around the routes: lets in who may come, as much as the limits say.

    The work for a client that has gone is cancelled; see Connection.
    """

    def __init__(self, app: ASGIApp, service: Service, access: Access) -> None:
        self._app, self._service, self._access = app, service, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        body = Body(self._service, receive)
        connection = scope["state"].get("connection") if "state" in scope else None
        try:
            self._check(scope)
            if connection is not None:
                connection.task = asyncio.current_task()
            await self._app(scope, body.receive, send)
        except RequestError as refusal:
            response = await answer_error(Request(scope), refusal)
            await response(scope, receive, send)
        except asyncio.CancelledError:
            if connection is None or not connection.lost:
                raise
        finally:
            if connection is not None:
                connection.task = None
            self._service.held_bytes -= body.size

    def _check(self, scope: Scope) -> None:
        """Raise RequestError unless a request may pass, as far as its head tells."""
        headers = dict(scope["headers"])
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        self._access.check(path, headers)
        if scope["method"] == "POST":
            self._service.check_open()
            self._service.check_size(int(headers.get(b"content-length", b"0")))


class Body:
    """The body of a request: `size` counts what has come of it."""

    def __init__(self, service: Service, receive: Receive) -> None:
        self._service, self._receive = service, receive
        self.size = 0

    async def receive(self) -> Message:
        """See ASGI; raises RequestError once it is too large, or too much is held together."""
        message = await self._receive()
        if more := len(message.get("body", b"")):
            self.size += more
            self._service.held_bytes += more
            self._service.check_size(self.size)
        return message
