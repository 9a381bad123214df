"""`npu-farm serve` as a real process."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from tests.helpers.programs import NPU_FARM
from tests.helpers.support import PATIENCE, ROOT

# On the CPU, with the bundled model of characters; its answers are real.
GLYPHS: Final = (str(ROOT / "configs" / "host.yaml"), "-s", "1")


class Server:
    """A service that runs: its `url`, its process, what it has told (records of its log)."""

    def __init__(self, *words: str, port: int = 0, **options: Any) -> None:
        command = [NPU_FARM, "serve", *words, "--port", f"{port}", "--log-format", "json"]
        given = {"cwd": ROOT, "text": True, "stderr": subprocess.PIPE, **options}
        self.process: subprocess.Popen[str] = subprocess.Popen(command, **given)
        self.told: list[dict[str, Any]] = []
        self.url: str = self.wait_for("serving")["url"]

    def wait_for(self, event: str) -> dict[str, Any]:
        """Read the log up to the first record of this event, which must come before the end."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.told.append(json.loads(line))
            if self.told[-1].get("event") == event:
                return self.told[-1]
        raise AssertionError(f"the service ended without {event!r}: {self.told}")

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it by a signal; return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@contextmanager
def serving(*words: str, **options: Any) -> Iterator[Server]:
    """A service on a free port, ready; ended by SIGTERM with the block, if it runs still."""
    server = Server(*words, **options)
    try:
        yield server
        if server.process.poll() is None:
            server.end()
    finally:
        server.process.kill()
        server.process.wait()
        if server.process.stderr is not None:
            server.process.stderr.close()
