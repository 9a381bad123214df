"""The process of a hub's server: found, started, heard, ended."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Final

from farm.cluster import nats_server_start
from farm.errors import ConfigError, HubError
from farm.system.log import LOG
from workers.shell import shell_command

PROGRAM: Final = "nats-server"
READY: Final = "Server is ready"
LINE: Final = re.compile(r"\[\d+\] (?:[\d/]+ [\d:.]+ )?\[([A-Z]{3})\] (.*)")
END_SECONDS: Final = 10.0  # to write what it holds
STARTER: Final = ("-I", "-S", nats_server_start.__file__)
# After such an error a stream takes nothing any more, though there may be room again.
WEDGED: Final = re.compile("critical write error|JetStream .*DISABLED", re.IGNORECASE)
HINTS: Final = {
    "address already in use": "; choose another --port",
    "cannot assign requested address": "; this machine has no such address: choose another "
    "--listen",
    "permission denied": "; ports below 1024 are for root",
    "no space left": "; make room on the disk, then start the hub again: what it holds is kept",
}


def find_server() -> str:
    """Return the path of the server's program; raise ConfigError with what to install."""
    beside = Path(sys.executable).with_name(PROGRAM)
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which(PROGRAM)
    if found is None:
        install = shell_command("pip install 'npu-farm[cluster]'")
        raise ConfigError(
            f"`hub` needs {PROGRAM}, which is not here:\n  {install}\nFor other machines than "
            "x86-64 and aarch64, there are packages of it at https://nats.io/download; put it on "
            "the PATH"
        )
    return found


class NatsServer:
    """A server that runs during the block; `fd` gets readable when it is ready, or `over`.

    It is over when it has ended, and when it can't store anything any more. What it says becomes
    our log. It ends with us, whatever ends us; until then it holds `lock`.
    """

    def __init__(self, program: str, config: Path, lock: int) -> None:
        self.fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.ready = self.over = False
        self._last = "it said nothing"
        self._process = subprocess.Popen(
            [sys.executable, *STARTER, f"{os.getpid()}", program, "-c", config],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            pass_fds=(lock,),
            start_new_session=True,  # Ctrl-C is for us, and we end it
        )
        self._listener = threading.Thread(target=self._listen, name=PROGRAM, daemon=True)

    def __enter__(self) -> NatsServer:
        self._listener.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join()
        os.close(self.fd)

    @property
    def pid(self) -> int:
        """The number of its process."""
        return int(self._process.pid)

    def seen(self) -> None:
        """Take note: only what comes now makes `fd` readable again."""
        os.eventfd_read(self.fd)

    def failure(self) -> HubError:
        """Return why it is over."""
        hint = next((hint for what, hint in HINTS.items() if what in self._last), "")
        return HubError(f"{PROGRAM} can't go on: {self._last}{hint}")

    def _listen(self) -> None:
        said = self._process.stderr
        assert said is not None  # noqa: S101
        with said:
            self._hear(said)
        self._end()

    def _hear(self, said: IO[str]) -> None:
        for line in said:
            found = LINE.fullmatch(line.rstrip())
            level, text = found.groups() if found else ("FTL", line.strip())
            if text == READY:
                self.ready = True
                os.eventfd_write(self.fd, 1)
            if text and level not in ("INF", "DBG", "TRC") and not self.over:
                self._last = text
            if level in ("WRN", "ERR"):
                LOG.warning(f"{PROGRAM}: {text}", extra={"event": "server", "level_there": level})
            if WEDGED.search(text):
                self._end()

    def _end(self) -> None:
        self.over = True
        os.eventfd_write(self.fd, 1)
