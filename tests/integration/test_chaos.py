"""A small chaos run; `make chaos` is the big one."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.plan import Chaos
from tests.chaos.run import run


def test_amid_chaos_each_image_has_one_right_result(run_dirs: Path) -> None:
    chaos = Chaos(
        images=600,
        workers=6,
        seed=5,
        service_ms=15.0,
        between=0.15,
        strikes=15,
        longest=1.0,
        for_ever=False,  # which would take half a minute
    )
    assert run(chaos).violations == ()
    assert list(run_dirs.iterdir()) == []
