from __future__ import annotations

import resource

import pytest

from farm.errors import StartError
from farm.system import address_space
from farm.system.address_space import LIMITS, MB, Limit


def limited(monkeypatch: pytest.MonkeyPatch, limit: Limit | None, mb: int = 0) -> None:
    """Let this process have one limit, or none."""

    def getrlimit(number: int) -> tuple[int, int]:
        allowed = mb * MB if limit is not None and number == limit.number else -1
        return allowed, resource.RLIM_INFINITY

    monkeypatch.setattr("resource.getrlimit", getrlimit)


@pytest.mark.parametrize("limit", LIMITS)
def test_too_little_is_refused_with_the_limit(
    monkeypatch: pytest.MonkeyPatch, limit: Limit
) -> None:
    limited(monkeypatch, limit, limit.least_mb - 1)
    with pytest.raises(StartError, match=limit.word):
        address_space.check()


@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_that_may_do_is_named_when_something_fails(
    monkeypatch: pytest.MonkeyPatch, limit: Limit
) -> None:
    limited(monkeypatch, limit, limit.least_mb)
    address_space.check()
    assert limit.word in address_space.hint()
    assert str(limit.least_mb) in address_space.hint()


def test_without_a_limit_there_is_nothing_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    limited(monkeypatch, None)
    address_space.check()
    assert address_space.hint() == ""
