"""The table of docs/serve-limits.md, row by row, against a real service with small limits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.helpers.programs import FAST
from tests.helpers.raw_http import Answer
from tests.helpers.site import Site, site
from tests.helpers.support import ROOT, wait_for
from tests.hostile import bodies, heads, inference, slow
from tests.hostile.case import BODY, CASES, CONNECTIONS, IMAGES, SECONDS, Target, post

PAGE: Final = ROOT / "docs" / "serve-limits.md"
CLOSED: Final = "closed"
GROWTH: Final = 48 << 20  # bytes: more than what the limits allow to be held, and its fragments
MODULES: Final = (bodies, heads, inference, slow)  # whose cases are made by their import
LIMITS: Final = (
    *("--max-body-mb", str(BODY >> 20), "--max-images", str(IMAGES)),
    *("--connections", str(CONNECTIONS), "--sending-seconds", str(SECONDS)),
)


@dataclass(frozen=True)
class Row:
    """A line of the table: what comes, the status of the answer and its kind, or `closed`."""

    given: str
    answer: str


ROWS = [
    Row(given.replace("\\|", "|"), answer)
    for given, answer in re.findall(
        r"^\| (.+?) \| (closed|\d{3}(?: `\w+`)?) \|", PAGE.read_text(encoding="utf-8"), re.M
    )
]


@dataclass(frozen=True)
class Attacked:
    """A service, what it says of a photo, and what it takes of the system when it is idle."""

    site: Site
    target: Target
    expected: Any
    rss: int
    descriptors: int


@pytest.fixture(scope="module")
def attacked(renders: list[Path]) -> Iterator[Attacked]:
    photo = renders[0].read_bytes()
    with site(*FAST, *LIMITS, "--name", "photos") as service:
        target = Target(service.address, "photos", photo)
        for case in ("5,000 parts", "a body larger than the limit, in chunks"):  # warm it up
            CASES[case](target)
        for _ in range(5):  # the socket of a worker is connected with its first image
            held = [target.connect().send(post(photo)) for _ in range(CONNECTIONS // 2)]
            for connection in held:
                with connection:
                    connection.answer()
        expected = service.classify(photo)
        taken = (service.process.memory_info().rss, service.process.num_fds())
        yield Attacked(service, target, expected, *taken)


@pytest.mark.parametrize("row", ROWS, ids=[row.given for row in ROWS])
def test_a_hostile_request_is_answered_and_leaves_nothing_behind(
    row: Row, attacked: Attacked
) -> None:
    service = attacked.site
    written = len(service.lines)
    assert told(CASES[row.given](attacked.target)) == row.answer
    assert service.classify(attacked.target.photo) == attacked.expected
    assert service.lines[written:] == []
    # The last connection's, while it is being closed, is one more.
    assert wait_for(lambda: service.process.num_fds() <= attacked.descriptors + 1, within=10)
    assert service.process.memory_info().rss - attacked.rss < GROWTH


def told(answer: Answer | None) -> str:
    """Return what the table says of an answer: its status, and the kind of an error."""
    if answer is None:
        return CLOSED
    if answer.status == 200:
        return "200"
    error = answer.json["error"]
    if isinstance(error, str):  # as the Open Inference Protocol has it
        assert error
        return f"{answer.status}"
    assert error["message"]
    return f"{answer.status} `{error['kind']}`"


def test_each_row_is_a_case() -> None:
    assert sorted(row.given for row in ROWS) == sorted(CASES)
