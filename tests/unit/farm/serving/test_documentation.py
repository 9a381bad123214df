"""What is documented is what there is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest
from starlette.routing import Route

from farm.serving import oip, people
from farm.serving.documentation import routes, table
from farm.serving.people import refusing
from farm.serving.service import Service


def service(task: str) -> Service:
    farm = SimpleNamespace(plan=SimpleNamespace(runtime="onnx"))
    fake = SimpleNamespace(name="net", config=SimpleNamespace(task=task), farm=farm)
    return cast("Service", fake)


@pytest.mark.parametrize("task", ["classify", "detect", "package.module:name"])
def test_the_table_has_each_route_that_answers(task: str) -> None:
    refusals = refusing("x", "y").__qualname__
    answering = {
        (route.path, method.lower())
        for route in (*people.routes(service(task)), *oip.routes(service(task)))
        if getattr(route.endpoint, "__qualname__", "") != refusals
        for method in (route.methods or set()) - {"HEAD"}
    }
    listed = {(each.path, each.method) for each in table(service(task))}
    assert listed == answering | {("/metrics", "get")}


def test_there_is_a_document_and_a_page() -> None:
    found: list[Route] = routes(service("classify"), tokens=False)
    assert [route.path for route in found] == ["/openapi.json", "/docs"]
