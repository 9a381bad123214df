"""The page of what can be asked: made here, without a script, and without a network."""

from __future__ import annotations

import json
from collections.abc import Sequence

from markupsafe import Markup, escape

from farm.pictures.page import source
from farm.report.html.templates import environment
from farm.serving.openapi import Operation
from farm.serving.pages import Page
from farm.system.terminal import printable


def docs_page(name: str, operations: Sequence[Operation], url: str) -> Page:
    """Return the page of operations of the model `name` at a service that is called `url`."""
    made = environment("farm.serving")
    made.filters["json"] = lambda schema: json.dumps(schema, indent=1)
    made.filters["lines"] = lambda text: Markup("\n").join(
        escape(printable(line)) for line in text.split("\n")
    )
    faces: dict[str, list[Operation]] = {}
    for each in operations:
        faces.setdefault(each.face, []).append(each)
    style = made.get_template("docs.css").render()
    html = made.get_template("docs.html").render(name=name, faces=faces, url=url, style=style)
    policy = f"default-src 'none'; style-src {source(style)}; base-uri 'none'; form-action 'none'"
    return Page(html, policy)
