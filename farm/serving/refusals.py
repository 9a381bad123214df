"""How a request that fails is answered."""

from __future__ import annotations

import traceback
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from farm.errors import FarmError
from farm.serving.service import RequestError
from farm.system.log import LOG

OIP: Final = "/v2"  # the Open Inference Protocol has errors of its own form
KINDS: Final = {404: "not_found", 405: "method_not_allowed"}  # of what Starlette refuses


async def answer_error(request: Request, error: Exception) -> Response:
    """Answer a request that has failed, in the form of the protocol that its path belongs to."""
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    match error:
        case RequestError():
            refusal = error
        case HTTPException(status_code=status, detail=detail):
            message = f"{request.method} {path[:100]}: {detail}"
            refusal = RequestError(status, KINDS.get(status, "invalid"), message, error.headers)
        case ClientDisconnect():
            refusal = RequestError(400, "cut_off", "the request ended before all of it came")
        case FarmError():
            refusal = RequestError(503, "no_workers", str(error))
        case _:
            told = "".join(traceback.format_exception(type(error), error, error.__traceback__))
            LOG.error(f"a mistake in npu-farm:\n{told}", extra={"event": "mistake", "path": path})
            refusal = RequestError(500, "internal", "a mistake in npu-farm; its log says more")
    content = str(refusal) if path.startswith(OIP) else refusal.as_dict()
    return JSONResponse({"error": content}, refusal.status, refusal.headers)
