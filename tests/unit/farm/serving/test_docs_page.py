"""The page of what can be asked."""

from __future__ import annotations

from farm.serving.docs_page import docs_page
from farm.serving.openapi import Operation

HOSTILE = '</pre><script>alert("x")</script>'


def page(**changes: str) -> str:
    said = {"path": "/ask", "face": "Face", "summary": "Ask", "example": "curl URL/ask", **changes}
    operation = Operation(answer={"application/json": {"type": "object"}}, **said)  # type: ignore[arg-type]
    return docs_page("net", [operation], "http://localhost:8000").html


def test_it_has_each_operation_with_a_command_line_that_can_be_pasted() -> None:
    made = page(example="curl URL/ask\ncurl -F a=@b URL/ask")
    assert "curl http://localhost:8000/ask\ncurl -F a=@b http://localhost:8000/ask" in made
    assert "GET" in made


def test_nothing_in_it_is_run() -> None:
    made = docs_page(HOSTILE, [], HOSTILE)
    assert "<script" not in made.html
    assert "<script" not in page(example=HOSTILE, path=HOSTILE, summary=HOSTILE)
    assert made.policy.startswith("default-src 'none'; style-src 'sha256-")
