"""The documented schemas are those of real answers."""

from __future__ import annotations

import fastjsonschema
import pytest

from farm.results.answer_format import format_of
from farm.results.result import Result
from farm.results.writers import as_dict
from farm.serving.people_api import operation, result
from tests.helpers.results import BUS, HEN, classified, detected, failed
from tests.helpers.results import result as result_with

OWN = "package.module:name"


@pytest.mark.parametrize(
    ("task", "answer"),
    [
        ("classify", classified(HEN)),
        ("detect", detected(BUS)),
        (OWN, result_with(output={"plate": ["AB", 1, None]})),
        *((task, failed("truncated", "cut")) for task in ("classify", "detect", OWN)),
    ],
)
def test_a_result_has_the_schema_of_its_task_and_no_key_more(task: str, answer: Result) -> None:
    schema, written = result(task), as_dict(answer, format_of(task))
    fastjsonschema.compile(schema)(written)
    assert schema["required"] == [*schema["properties"]] == [*written]


def test_a_result_of_another_task_has_another_schema() -> None:
    written = as_dict(detected(BUS), format_of("detect"))
    with pytest.raises(fastjsonschema.JsonSchemaException):
        fastjsonschema.compile(result("classify"))(written)


def test_examples_are_of_the_path() -> None:
    assert "curl --data-binary @photo.jpg URL/detect" in operation("/detect", "detect").example
