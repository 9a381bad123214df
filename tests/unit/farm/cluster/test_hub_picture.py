from __future__ import annotations

import io
from typing import Any

import pytest
from msgspec.structs import replace
from rich.console import Console

from farm.cluster.hub_picture import View, picture
from farm.cluster.overview import Overview, Queue, Run, Store
from farm.cluster.roster import Seen
from farm.system.terminal import UNLIMITED
from tests.helpers.presences import OFFER, a_board

JOIN = "npu-farm join nats://hub CONFIG"
AT = 1_790_000_100.0


def drawn(seen: Overview, width: int = 120, height: int = UNLIMITED, **other: Any) -> list[str]:
    """The lines of a picture, without colours."""
    to = io.StringIO()
    view = View(address="nats://hub:4222", overview=seen, now=AT, join=JOIN)
    shown = picture(view if not other else View(**{**as_dict(view), **other}), width, height)
    Console(file=to, width=width, highlight=False).print(shown)
    return [line.rstrip() for line in to.getvalue().splitlines()]


def as_dict(view: View) -> dict[str, Any]:
    return {name: getattr(view, name) for name in View.__slots__}


def hub(*boards: Any, **other: Any) -> Overview:
    values: dict[str, Any] = {
        "at": AT,
        "boards": tuple(Seen(board, 1.0) for board in boards),
        "refused": {},
        "queues": (),
        "runs": (),
        "stores": (Store(name="jobs", used=1 << 20, limit=1 << 30),),
        "strays": 0,
        **other,
    }
    return Overview(**values)


def row(lines: list[str], name: str) -> list[str]:
    (found,) = [line for line in lines if line.startswith(f"{name} ")]
    return found.split()


def test_a_board_has_its_row() -> None:
    lines = drawn(hub(a_board("rock")))
    cells = row(lines, "rock")
    assert cells[:3] == ["rock", "glyphs", "classify"]
    assert cells[3:] == ["rk3588", "812", "12,345", "2", "12/48", "60", "%", "62", "1", "s"]


def test_figures_of_a_simulated_npu_say_so() -> None:
    lines = drawn(hub(a_board("rock"), a_board("fake", simulated=True, rate=5.0)))
    assert "(simulated)" in row(lines, "fake")
    assert "(simulated)" not in row(lines, "rock")
    assert lines[0].endswith("1 board 812/s  1 simulated board 5.00/s")
    alone = drawn(hub(a_board("fake", simulated=True, rate=5.0)))
    assert alone[0] == "nats://hub:4222  1 simulated board 5.00/s"
    assert drawn(hub())[0] == "nats://hub:4222  0 boards 0/s"


def test_what_is_not_known_is_not_0() -> None:
    lines = drawn(hub(a_board("rock", npu_load=None, hottest=None)))
    assert row(lines, "rock")[-4:] == ["-", "-", "1", "s"]


def test_the_line_to_copy_stands_where_no_board_is() -> None:
    lines = drawn(hub())
    assert f"  {JOIN}" in lines
    assert not any("board " in line and "images/s" in line for line in lines)


def test_jobs_that_no_board_serves_are_seen() -> None:
    queue = Queue(queue="0" * 24, model=None, simulated=False, waiting=7, in_flight=0)
    assert row(drawn(hub(queues=(queue,))), "no board") == ["no", "board", "0", "0", "7", "0"]


def test_runs_with_most_results_come_first() -> None:
    runs = (Run(run="a" * 20, jobs=0, results=1), Run(run="b" * 20, jobs=3, results=12_000))
    lines = drawn(hub(runs=runs))
    assert row(lines, "b" * 20)[1:] == ["3", "12,000"]
    assert lines.index(next(line for line in lines if line.startswith("bbb"))) < lines.index(
        next(line for line in lines if line.startswith("aaa"))
    )


@pytest.mark.parametrize("width", [30, 40, 50, 60, 70, 80, 110, 150, 200])
@pytest.mark.parametrize("height", [6, 12, 24, 50])
def test_a_picture_is_as_large_as_its_terminal(width: int, height: int) -> None:
    boards = [a_board(f"rock {at:04}", model=f"model-{at % 9}") for at in range(1000)]
    runs = tuple(Run(run=f"{at:020x}", jobs=1, results=1) for at in range(100))
    queues = tuple(
        Queue(queue=f"{at:024x}", model=f"m{at}", simulated=False, waiting=1, in_flight=1)
        for at in range(20)
    )
    lines = drawn(hub(*boards, runs=runs, queues=queues), width, height, keys="q: leave")
    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    rows = sum(line.startswith("rock ") for line in lines)
    assert f"... and {1000 - rows} more" in lines


def test_what_boards_and_hubs_say_can_not_change_the_screen() -> None:
    evil = a_board(
        "x", board="[red]\x1b[2J:smile:" + "\u202e" * 100, model="[/]\x9b\n" + "y" * 5000
    )
    lines = drawn(hub(evil, refused={f"a\x1b{at}" * 500: at for at in range(9)}, strays=3), 80, 24)
    text = "\n".join(lines)
    assert not set("\x1b\x9b\u202e") & set(text)
    assert "[red]" in text
    assert len(lines) <= 24


def test_a_note_and_the_ages_tell_how_old_it_is() -> None:
    lines = drawn(hub(a_board("rock")), now=AT + 59.0, note="nothing new for 59 s")
    assert "nothing new for 59 s" in lines
    assert row(lines, "rock")[-2:] == ["1", "min"]


def test_a_file_gets_everything() -> None:
    boards = [replace(a_board(f"rock {at}")) for at in range(300)]
    lines = drawn(hub(*boards))
    assert sum(line.startswith("rock ") for line in lines) == 300


def test_a_board_of_another_version_is_told() -> None:
    newer = a_board("rock", offer=replace(OFFER, version=2))
    assert any("version 2" in line for line in drawn(hub(newer)))
    assert not any("version" in line for line in drawn(hub(a_board("rock"))))
