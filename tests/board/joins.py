"""On the emulated board: its own run, then a board at the hub behind the tunnel until that is over.

python3 -m tests.board.joins SOC HUB PORT TUNNEL
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from typing import Final

from tests.board.tunnel import Inside

RUN: Final = (sys.executable, "-m", "farm.coordinator")
JOIN: Final = (sys.executable, "-c", "from farm.cli.main import main; main()", "join")
LOOK_SECONDS: Final = 0.2


async def until_it_ends(board: subprocess.Popen[bytes]) -> None:
    """Wait for the end of a board."""
    while board.poll() is None:
        await asyncio.sleep(LOOK_SECONDS)


async def joined(board: subprocess.Popen[bytes], port: int, tunnel: int) -> None:
    """Keep the tunnel up until the other end says that it is over, or the board ends."""
    ends = [until_it_ends(board), Inside().run(port, tunnel)]
    tasks = [asyncio.ensure_future(end) for end in ends]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)


def main() -> int:
    """See the module."""
    soc, address, port, tunnel = sys.argv[1:]
    config = f"configs/{soc}.yaml"
    subprocess.run([*RUN, config, "-q", "-d", "/fifty", "-o", "/out/alone.jsonl"], check=True)
    board = subprocess.Popen([*JOIN, address, config, "--board", soc])
    asyncio.run(joined(board, int(port), int(tunnel)))
    board.send_signal(signal.SIGTERM)
    return 0 if board.wait() == 128 + signal.SIGTERM else 1


if __name__ == "__main__":
    sys.exit(main())
