"""docs/architecture.md is true: its diagram is the table's, its lists are the folders'."""

from __future__ import annotations

import re

import pytest

from farm.lifecycle import NEXT, State
from tests.support import ROOT

TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def diagram() -> str:
    lines = ["stateDiagram-v2", f"    [*] --> {State.STARTING.value}"]
    lines += [
        f"    {at.value} --> {to.value}: {event.value}"
        for (at, event), to in NEXT.items()
        if at is not to
    ]
    return "\n".join([*lines, f"    {State.GONE.value} --> [*]"])


def test_the_life_cycle_is_drawn_from_its_table() -> None:
    drawn = re.search(r"```mermaid\n(.*?)\n```", TEXT, re.S)
    assert drawn is not None
    assert drawn[1] == diagram()


@pytest.mark.parametrize("package", ["workers", "farm"])
def test_every_file_has_a_line(package: str) -> None:
    section = TEXT.partition(f"\n`{package}/`, ")[2].partition("\n\n`")[0]
    listed = re.findall(r"^\| `(\w+\.py)` \|", section, re.M)
    files = {p.name for p in (ROOT / package).glob("*.py")} - {"__init__.py"}
    assert sorted(listed) == sorted(files)
