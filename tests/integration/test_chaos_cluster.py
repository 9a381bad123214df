"""A small chaos run of a cluster; `make chaos-cluster` is the big one."""

from __future__ import annotations

from pathlib import Path

from tests.chaos_cluster.run import Chaos, run
from tests.helpers.support import wait_for


def test_amid_chaos_each_image_is_in_the_file_once(tmp_path: Path, run_dirs: Path) -> None:
    chaos = Chaos(
        images=800,
        boards=3,
        seed=5,
        strikes=10,
        between=0.5,
        longest=2.0,
        ack_seconds=1.0,
        limit=100.0,
    )
    assert run(chaos, tmp_path).violations == ()
    assert wait_for(lambda: not list(run_dirs.iterdir()))  # of killed boards, soon
