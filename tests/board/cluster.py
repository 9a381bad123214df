"""`python -m tests.board.cluster SOC`: an emulated board at a hub on this machine.

It reaches nothing, so the tunnel is dialled from here. Its answers must be those of its own run.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from tests.board import tunnel
from tests.helpers.album import Album
from tests.helpers.cluster import cluster
from tests.helpers.hub import free_port, hub
from tests.helpers.support import ROOT, wait_for

FIFTY: Final = ROOT / "build" / "fifty"
ON_BOARD: Final = 'set -eu; shared=../shared; . tests/board/prepare.sh; on_board "$@"'
HUB, TUNNEL = 4222, 4223  # ports on the board
UP_SECONDS: Final = 600.0  # with its root file system, and its own run
ACK_SECONDS: Final = 20.0


def main() -> int:
    """Send fifty renders to the board; return 0 if its answers are those of its own run."""
    soc = sys.argv[1] if len(sys.argv) > 1 else "rk3588"
    forwarded = free_port()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        there = stack.enter_context(hub(folder / "store", ack_seconds=ACK_SECONDS))
        many = stack.enter_context(cluster(there.address, folder / "cluster"))
        dialler = subprocess.Popen(
            [sys.executable, "-m", tunnel.__name__, f"{forwarded}", f"{there.port}"],
            cwd=ROOT,
        )
        stack.callback(dialler.kill)
        address = there.address.replace(f":{there.port}", f":{HUB}")
        options = ("--soc", soc, "--port", f"{forwarded}:{TUNNEL}", "--out", str(folder / "out"))
        inside = ("python3", "-m", "tests.board.joins", soc, address, f"{HUB}", f"{TUNNEL}")
        command = ["sh", "-c", ON_BOARD, "on_board", *options, "--", *inside]
        board = subprocess.Popen(command, cwd=ROOT)
        stack.callback(board.terminate)
        wait_for(lambda: many.here() == [soc] or board.poll() is not None, within=UP_SECONDS)
        assert board.poll() is None
        many.sender(FIFTY).succeed(within=UP_SECONDS)
        asyncio.run(tunnel.over(forwarded))
        assert board.wait(UP_SECONDS) == 0
        assert many.here() == []
        account = Album(FIFTY, folder / "out" / "alone.jsonl").account(many.results())
        assert account.is_clean, account
        assert account.boards == {soc: 50}
        assert not any(line["simulated"] for line in many.results())
        print("50 images, all as in a run on the board itself")
    return 0


if __name__ == "__main__":
    sys.exit(main())
