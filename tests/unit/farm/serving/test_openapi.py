"""Operations as an OpenAPI document."""

from __future__ import annotations

from farm.serving.openapi import ERROR, Operation, document

ASK = Operation(
    path="/ask/{name}",
    method="post",
    face="Face",
    summary="Ask",
    values={"name": "net"},
    body={"*/*": {"type": "string"}},
    answer={"application/json": {"type": "object"}},
    errors=(429,),
    example="curl URL/ask/net",
)
TELL = Operation(path="/tell", face="Face", summary="Tell", answer={"text/plain": {}})


def test_a_document_has_the_operations_by_path_and_method() -> None:
    made = document([ASK, TELL], name="net", root_path="", tokens=False)
    assert {path: [*methods] for path, methods in made["paths"].items()} == {
        "/ask/{name}": ["post"],
        "/tell": ["get"],
    }
    assert made["servers"] == [{"url": "/"}]
    assert "security" not in made


def test_an_operation_has_what_is_sent_and_what_comes() -> None:
    made = document([ASK], name="net", root_path="", tokens=False)["paths"]["/ask/{name}"]["post"]
    assert made["parameters"][0]["schema"] == {"enum": ["net"]}
    assert made["requestBody"]["content"] == {"*/*": {"schema": {"type": "string"}}}
    assert [*made["responses"]] == ["200", "429", "default"]
    failed = made["responses"]["429"]
    assert failed["description"] == "Too Many Requests"
    assert failed["content"] == {"application/json": {"schema": ERROR}}


def test_behind_a_proxy_and_with_tokens_it_says_so() -> None:
    made = document([TELL], name="net", root_path="/npu", tokens=True)
    assert made["servers"] == [{"url": "/npu"}]
    assert [*made["components"]["securitySchemes"]] == [
        name for each in made["security"] for name in each
    ]
