"""What can be asked, as an OpenAPI document; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from farm import __version__

Schema = Mapping[str, Any]
JSON: Final = "application/json"
ERROR: Final[Schema] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["kind", "message"],
            "properties": {"kind": {"type": "string"}, "message": {"type": "string"}},
        }
    },
}
TOKEN: Final = {
    "token": {"type": "http", "scheme": "bearer"},
    "token_as_password": {"type": "http", "scheme": "basic"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What can be asked at a path by a method; `values` are those of the parameters in the path.

    `body` has what may be sent, `answer` what comes with a status of 2xx, both schemas by content
    type; `errors` are the usual other statuses, all with JSON of the schema `error`. `example` is a
    command line, with URL for where the service is.
    """

    path: str
    method: str = "get"
    face: str
    summary: str
    description: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    parameters: Sequence[Schema] = ()
    body: Mapping[str, Schema] = field(default_factory=dict)
    answer: Mapping[str, Schema]
    errors: Sequence[int] = ()
    error: Schema = field(default_factory=lambda: ERROR)
    example: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return this as OpenAPI's operation object."""
        in_path = [
            {"name": name, "in": "path", "required": True, "schema": {"enum": [value]}}
            for name, value in self.values.items()
        ]
        failed = {"content": {JSON: {"schema": self.error}}}
        described: dict[str, Any] = {
            "tags": [self.face],
            "summary": self.summary,
            "operationId": f"{self.method}{re.sub(r'[^a-z0-9]+', '_', self.path)}".rstrip("_"),
            "parameters": [*in_path, *self.parameters],
            "responses": {
                "200": {"description": "OK", "content": contents(self.answer)},
                **{
                    str(status): {"description": HTTPStatus(status).phrase, **failed}
                    for status in self.errors
                },
                "default": {"description": "Refused; the error says why", **failed},
            },
        }
        if self.description:
            described["description"] = self.description
        if self.body:
            described["requestBody"] = {"required": True, "content": contents(self.body)}
        if self.example:
            described["x-codeSamples"] = [{"lang": "Shell", "source": self.example}]
        return described


def contents(schemas: Mapping[str, Schema]) -> dict[str, Any]:
    """Return schemas by content type as OpenAPI's media type objects."""
    return {kind: {"schema": schema} for kind, schema in schemas.items()}


def document(
    operations: Sequence[Operation], *, name: str, root_path: str, tokens: bool
) -> dict[str, Any]:
    """Return the OpenAPI document of a service of the model `name`."""
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method] = each.as_dict()
    secured = {
        "components": {"securitySchemes": TOKEN},
        "security": [{scheme: []} for scheme in TOKEN],
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": f"npu-farm: {name}", "version": __version__},
        "servers": [{"url": root_path or "/"}],
        "paths": paths,
        **(secured if tokens else {}),
    }
