"""On the emulated board: a hub, its own run, a board at the hub behind the tunnel until it is over.

python3 -m tests.board.joins SOC HUB PORT TUNNEL
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.board.tunnel import Inside
from tests.helpers.hub import hub

RUN: Final = (sys.executable, "-m", "farm.coordinator")
JOIN: Final = (sys.executable, "-c", "from farm.cli.main import main; main()", "join")
LOOK_SECONDS: Final = 0.2


async def until_it_ends(board: subprocess.Popen[bytes]) -> None:
    """Wait for the end of a board."""
    while board.poll() is None:
        await asyncio.sleep(LOOK_SECONDS)


async def work(board: subprocess.Popen[bytes], port: int, tunnel: int) -> None:
    """Keep the tunnel up until the other end says that it is over, and the board has ended."""
    inside = Inside()
    serving = asyncio.ensure_future(inside.run(port, tunnel))
    ended = asyncio.ensure_future(until_it_ends(board))
    over = asyncio.ensure_future(inside.over.wait())
    await asyncio.wait((ended, over), return_when=asyncio.FIRST_COMPLETED)
    board.send_signal(signal.SIGTERM)
    await ended
    serving.cancel()


def main() -> int:
    """See the module."""
    soc, address, port, tunnel = sys.argv[1:]
    with hub(Path("/tmp/hub")) as there:
        print(f"a board can be a hub: {there.address}", flush=True)
    config = f"configs/{soc}.yaml"
    subprocess.run([*RUN, config, "-q", "-d", "/fifty", "-o", "/out/alone.jsonl"], check=True)
    board = subprocess.Popen([*JOIN, address, config, "--board", soc])
    asyncio.run(work(board, int(port), int(tunnel)))
    return 0 if board.wait() == 128 + signal.SIGTERM else 1


if __name__ == "__main__":
    sys.exit(main())
