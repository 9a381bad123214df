"""Boards and senders at a hub, each a real process."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from nats.js import JetStreamContext

from farm.cluster import roster
from farm.cluster.link import Access, connect
from tests.helpers.album import CONFIG, Line, lines
from tests.helpers.programs import NPU_FARM
from tests.helpers.support import PATIENCE, ROOT, wait_for

SERVICE_MS: Final = 20.0
Made = TypeVar("Made")


class Process:
    """A program whose log is a file of JSON lines; `process` is what was started."""

    def __init__(self, words: tuple[str, ...], log: Path) -> None:
        self.log = log
        with log.open("a") as errors:
            command = [*words, "--log-format", "json"]
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=errors
            )

    def told(self, event: str) -> list[dict[str, Any]]:
        """The records of an event in its log."""
        records = map(json.loads, self.log.read_text(encoding="utf-8").splitlines())
        return [record for record in records if record.get("event") == event]

    def wait_for(self, event: str, *, times: int = 1) -> None:
        """Wait until it has told an event, which must come before its end."""
        wait_for(lambda: len(self.told(event)) >= times or self.process.poll() is not None)
        assert len(self.told(event)) >= times, self.log.read_text(encoding="utf-8")

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGKILL) -> int:
        """End it by a signal; return its exit code."""
        self.send(number)
        return self.process.wait(PATIENCE)

    def succeed(self, *, code: int = 0, within: float = 2 * PATIENCE) -> None:
        """Wait until it ends, which must be with this exit code."""
        ended = self.process.wait(within)
        assert ended == code, (ended, self.log.read_text(encoding="utf-8"))


class Cluster:
    """What is started at one hub; logs and results are in a folder."""

    def __init__(self, address: str, folder: Path) -> None:
        self.address, self.folder = address, folder
        self.output = folder / "results.jsonl"
        self.all: list[Process] = []

    def start(self, name: str, *words: str) -> Process:
        """Start a program whose log is called `name`."""
        self.all.append(Process(words, self.folder / f"{name}.log"))
        return self.all[-1]

    def board(
        self,
        name: str,
        *more: str,
        service_ms: float = SERVICE_MS,
        cores: int = 1,
        address: str | None = None,
        prefix: tuple[str, ...] = (),
    ) -> Process:
        """Start a board with a simulated NPU of so many cores, a worker on each."""
        npu = (
            "--set",
            f"simulated.service_ms={service_ms}",
            "--set",
            f"simulated.npu_cores={cores}",
        )
        join = (NPU_FARM, "join", address or self.address, *CONFIG, *npu, "-s", f"{cores}")
        return self.start(name, *prefix, *join, "--board", name, *more)

    def boards(self, *names: str, **options: Any) -> list[Process]:
        """Start boards; all have joined on return."""
        boards = [self.board(name, **options) for name in names]
        for board in boards:
            board.wait_for("joined")
        return boards

    def sender(self, folder: Path, *more: str, address: str | None = None) -> Process:
        """Start a sender of a folder's images."""
        send = (NPU_FARM, "send", address or self.address, "-d", str(folder), "-q")
        return self.start("sender", *send, "-o", str(self.output), *more)

    def results(self) -> list[Line]:
        """The whole lines of the results file."""
        return lines(self.output)

    def wait_for_results(self, count: int) -> None:
        """Wait until so many images are done."""
        assert wait_for(lambda: len(self.results()) >= count), (count, self.logs())

    def here(self) -> list[str]:
        """The names of the boards that are at the hub."""
        return [each.board for each in at_hub(self.address, roster.boards)]

    def logs(self) -> str:
        """What all have told."""
        return "\n".join(f"{log}\n{log.read_text()}" for log in sorted(self.folder.glob("*.log")))

    def end(self) -> None:
        """End what still runs, as a power cut does."""
        for each in self.all:
            if each.process.poll() is None:
                each.end()


@contextmanager
def cluster(address: str, folder: Path) -> Iterator[Cluster]:
    """A cluster at a hub, whose programs are ended with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    running = Cluster(address, folder)
    try:
        yield running
    finally:
        running.end()


def at_hub(address: str, do: Callable[[JetStreamContext], Awaitable[Made]]) -> Made:
    """What comes of doing something at a hub."""

    async def done() -> Made:
        client = await connect(Access(address=address), "tests", lambda _: None)
        try:
            return await do(client.jetstream())
        finally:
            await client.close()

    return asyncio.run(done())
