"""Numbers as a config may write them."""

from __future__ import annotations

from typing import Any

import pytest

from farm.config.numbers import parse_numbers


@pytest.mark.parametrize(
    ("written", "numbers"),
    [(4, (4,)), ("4", (4,)), ("4,5", (4, 5)), ("4-7", (4, 5, 6, 7)), ("0,2-3,9", (0, 2, 3, 9))],
)
def test_lists_and_spans_are_numbers(written: Any, numbers: tuple[int, ...]) -> None:
    assert parse_numbers(written) == numbers


@pytest.mark.parametrize("other", ["fast", "4-", "", "4096", "0-99999999999", [4, 5], True, None])
def test_anything_else_stays_as_it_is(other: Any) -> None:
    assert parse_numbers(other) is other
