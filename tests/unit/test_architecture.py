"""docs/architecture.md is true: its diagram is the table's, its lists are the folders'."""

from __future__ import annotations

import re

import pytest

from farm.scheduler.lifecycle import NEXT, State
from tests.helpers.support import ROOT

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
def test_every_file_has_a_line_in_the_table_of_its_room(package: str) -> None:
    rooms = re.findall(rf"^### `({package}[a-z/]*)/`: (.*?)(?=^##|\Z)", TEXT, re.M | re.S)
    listed = [
        f"{room}/{file}"
        for room, table in rooms
        for file in re.findall(r"^\| `(\w+\.py)` \|", table, re.M)
    ]
    files = [path for path in (ROOT / package).rglob("*.py") if path.name != "__init__.py"]
    assert sorted(listed) == sorted(str(path.relative_to(ROOT)) for path in files)
