"""The routes of the Open Inference Protocol v2, below /v2."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from farm import __version__
from farm.results.result import Result
from farm.serving.inflate import inflated
from farm.serving.oip_model import EXTENSIONS, VERSION, Model
from farm.serving.oip_outputs import ERRORS, error
from farm.serving.oip_request import Inference, parse
from farm.serving.oip_response import respond
from farm.serving.people import status_of
from farm.serving.service import RequestError, Service

HEADER_LENGTH: Final = "Inference-Header-Content-Length"
UNAVAILABLE: Final = 503


def routes(service: Service) -> list[Route]:
    """Return the protocol's routes for the one model of a service."""
    protocol = OpenInference(service)
    model = [
        ("", protocol.metadata),
        ("/ready", protocol.model_ready),
        ("/config", protocol.config),
    ]
    versions = ("/v2/models/{name}", "/v2/models/{name}/versions/{version}")
    return [
        Route("/v2", protocol.server),
        Route("/v2/health/live", protocol.live),
        Route("/v2/health/ready", protocol.ready),
        Route("/v2/models", protocol.models),
        *(Route(path + end, answer) for path in versions for end, answer in model),
        *(Route(f"{path}/infer", protocol.infer, methods=["POST"]) for path in versions),
    ]


class OpenInference:
    """A service as the protocol shows it."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._inflating = asyncio.Lock()
        self._model = Model(service.name, service.config.task, service.farm.plan.runtime)

    async def server(self, _request: Request) -> Response:
        """Tell what this server is, and which extensions it has."""
        return as_json({"name": "npu-farm", "version": __version__, "extensions": EXTENSIONS})

    async def live(self, _request: Request) -> Response:
        """Tell that this process answers."""
        return as_json({"live": True})

    async def ready(self, _request: Request) -> Response:
        """Tell whether a request would be taken in."""
        return as_json({"ready": self._service.ready}, self._ready_status)

    async def models(self, _request: Request) -> Response:
        """Tell the model's name."""
        return as_json({"models": [self._model.name]})

    async def metadata(self, request: Request) -> Response:
        """Tell the model's inputs and outputs."""
        return as_json(self._named(request).metadata())

    async def model_ready(self, request: Request) -> Response:
        """Tell whether a request to the model would be taken in."""
        name = self._named(request).name
        return as_json({"name": name, "ready": self._service.ready}, self._ready_status)

    async def config(self, request: Request) -> Response:
        """Tell the model's inputs and outputs as Triton writes them."""
        return as_json(self._named(request).config())

    async def infer(self, request: Request) -> Response:
        """Answer an inference request."""
        model = self._named(request)
        body = b"".join([chunk async for chunk in request.stream()])
        encoding, limits = request.headers.get("Content-Encoding"), self._service.limits
        if encoding is not None:
            async with self._inflating:  # memory for one, however many are sent
                body = await inflated(body, encoding, limits.body_bytes)
        asked = parse(body, request.headers.get(HEADER_LENGTH), model, most=limits.images)
        del body  # its images are copied out of it
        results = await self._service.infer(asked.items, timeout=asked.timeout)
        check(results, asked)
        content, json_bytes = respond(model, asked, results)
        if json_bytes is None:
            return Response(content, media_type="application/json")
        headers = {HEADER_LENGTH: str(json_bytes)}
        return Response(content, headers=headers, media_type="application/octet-stream")

    @property
    def _ready_status(self) -> int:
        return 200 if self._service.ready else UNAVAILABLE

    def _named(self, request: Request) -> Model:
        name, version = request.path_params["name"], request.path_params.get("version", VERSION)
        if name != self._model.name:
            message = f"model {name[:100]!r}: unknown; this server has {self._model.name}"
            raise RequestError(404, "unknown_model", message)
        if version != VERSION:
            message = f"version {version[:100]!r} of {name}: unknown; there is {VERSION}"
            raise RequestError(404, "unknown_model", message)
        return self._model


def check(results: Sequence[Result], asked: Inference) -> None:
    """Raise RequestError if no image has an answer, or if nothing would tell which have none."""
    failed = [(at, each) for at, each in enumerate(results) if each.error is not None]
    told = any(each.output is ERRORS for each in asked.wanted)
    if not failed or (told and len(failed) < len(results)):
        return
    at, first = failed[0]
    where = f"image {at}: " if len(results) > 1 else ""
    more = "" if told else f"; ask for the output {ERRORS.name}, and the others are answered"
    message = f"{where}{error(first)}{more if len(failed) < len(results) else ''}"
    raise RequestError(status_of(first), "failed", message)


def as_json(content: Any, status: int = 200) -> Response:
    """Return a response of JSON."""
    return Response(msgspec.json.encode(content), status, media_type="application/json")
