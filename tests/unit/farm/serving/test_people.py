"""How an answer for people becomes a response."""

from __future__ import annotations

import pytest

from farm.serving.people import status_of
from tests.helpers.results import classified, failed


def test_an_image_with_an_answer_is_ok() -> None:
    assert status_of(classified()) == 200


@pytest.mark.parametrize(
    ("kind", "status"), [("not_an_image", 415), ("truncated", 422), ("worker_died", 500)]
)
def test_an_error_is_the_clients_or_the_farms(kind: str, status: int) -> None:
    assert status_of(failed(kind, "why")) == status
