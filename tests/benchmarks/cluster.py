"""Boards at a hub: how they scale, what an image costs whom, how they share a run.

    python -m tests.benchmarks.cluster [scaling] [costs] [shares]

Prints tables for docs/performance.md. NPUs are simulated, and all processes are on this machine.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from farm.sources.renders import write_renders
from farm.system.process_usage import cpu_seconds, tree
from tests.benchmarks.__main__ import found
from tests.benchmarks.running import table
from tests.helpers.album import Album, make_album
from tests.helpers.cluster import Cluster, Process, cluster
from tests.helpers.hub import Hub, hub
from tests.helpers.tcp_proxy import TcpProxy, tcp_proxy

BOARDS: Final = (1, 2, 4, 8)
SLOW_MS: Final = 40.0  # of an image on the one NPU core of a board that is one of many
SECONDS: Final = 20  # of a run
FAST: Final = (1.0, 3)  # ms, NPU cores: of a board where the processes themselves are measured
SPEEDS: Final = ((60.0, 3), (30.0, 3), (20.0, 3))
BY_BYTES, BY_PATH = "bytes", "path"
DIFFERENT: Final = 500  # images
WARM, LATE = 0.1, 0.9  # of the images; between these it is measured
LOOK_SECONDS: Final = 0.02
ACK_SECONDS: Final = 20.0
PARTS: Final = ("scaling", "costs", "shares")


@dataclass(frozen=True, slots=True)
class Moment:
    """What had been used up at a time: CPU seconds of each process, bytes on each link."""

    at: float
    images: int
    cpu: dict[str, float]
    wire: dict[str, int]


class Setting:
    """A hub with boards; each program's connection is its own link, whose bytes are counted."""

    def __init__(self, there: Hub, many: Cluster, stack: ExitStack) -> None:
        self.many = many
        self._hub, self._stack = there, stack
        self._boards: list[Process] = []
        self._links: dict[str, TcpProxy] = {}

    def add(self, name: str, speed: tuple[float, int], album: Album) -> None:
        """Add a board; it has joined on return."""
        ms, cores = speed
        opens = ("--by-path", str(album.folder))
        board = self.many.board(
            name, *opens, service_ms=ms, cores=cores, address=self._link(f"{name}")
        )
        self._boards.append(board)
        board.wait_for("joined")

    def run(self, album: Album, repeats: int, how: str) -> tuple[Moment, Moment]:
        """Send the images; return the moments between which it is measured."""
        by_path = ("--by-path", str(album.folder)) if how == BY_PATH else ()
        more = ("-r", f"{repeats}", "--overwrite", *by_path)
        sender = self.many.sender(album.folder, *more, address=self._link("sender"))
        seen = Seen(self.many.output)
        first, last = (
            self._moment(seen, int(len(album) * repeats * part), sender) for part in (WARM, LATE)
        )
        sender.succeed(within=600)
        account = album.account(self.many.results(), repeats=repeats)
        assert account.is_clean, account
        return first, last

    def _moment(self, seen: Seen, images: int, sender: Process) -> Moment:
        while (count := seen.count()) < images:
            assert sender.process.poll() is None, self.many.logs()
            time.sleep(LOOK_SECONDS)
        boards = [board.process.pid for board in self._boards]
        cpu = {
            "hub": spent(self._hub.pid),
            "board": spent(*boards),
            "workers": spent(*(pid for board in boards for pid in tree(board).below)),
            "sender": spent(sender.process.pid),
        }
        wire = {
            end: sum(link.up + link.down for name, link in self._links.items() if end in name)
            for end in ("board", "sender")
        }
        return Moment(time.monotonic(), count, cpu, wire)

    def _link(self, name: str) -> str:
        link = self._stack.enter_context(tcp_proxy(self._hub.port))
        self._links[name] = link
        return self._hub.address.replace(f":{self._hub.port}", f":{link.port}")


def spent(*pids: int) -> float:
    """CPU seconds of processes so far."""
    return sum(cpu_seconds(pid) or 0.0 for pid in pids)


class Seen:
    """How many lines a file has, read no line twice."""

    def __init__(self, output: Path) -> None:
        self._output, self._read, self._lines = output, 0, 0

    def count(self) -> int:
        """Return how many there are by now."""
        if self._output.exists():
            with self._output.open("rb") as file:
                file.seek(self._read)
                new = file.read()
            self._read += len(new)
            self._lines += new.count(b"\n")
        return self._lines


@contextmanager
def setting() -> Iterator[Setting]:
    """A hub without boards."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        there = stack.enter_context(hub(folder / "store", ack_seconds=ACK_SECONDS))
        many = stack.enter_context(cluster(there.address, folder / "cluster"))
        yield Setting(there, many, stack)


def scaling(album: Album) -> str:
    """Measure one to eight slow boards; return the table."""
    rows: list[tuple[str, ...]] = []
    alone = 0.0
    for boards in BOARDS:
        with setting() as here:
            for number in range(boards):
                here.add(f"board-{number}", (SLOW_MS, 1), album)
            repeats = max(1, round(boards * SECONDS * 1000 / SLOW_MS / len(album)))
            first, last = here.run(album, repeats, BY_BYTES)
        seconds = last.at - first.at
        rate = (last.images - first.images) / seconds
        alone = alone or rate
        busy = (
            sum(last.cpu[who] - first.cpu[who] for who in last.cpu)
            / seconds
            / len(os.sched_getaffinity(0))
        )
        rows.append((f"{boards}", f"{rate:.1f}", f"{rate / boards / alone:.1%}", f"{busy:.0%}"))
        print(*rows[-1], file=sys.stderr, flush=True)
    return table(("boards", "images/s", "of so many times one", "of this machine's CPUs"), rows)


def costs(album: Album) -> str:
    """Measure what an image costs; return the table."""
    rows: list[tuple[str, ...]] = []
    for how in (BY_BYTES, BY_PATH):
        with setting() as here:
            here.add("board", FAST, album)
            first, last = here.run(album, 8, how)
        images = last.images - first.images
        cpu = [f"{(last.cpu[who] - first.cpu[who]) * 1000 / images:.3f}" for who in last.cpu]
        wire = [f"{(last.wire[end] - first.wire[end]) / images:.0f}" for end in last.wire]
        rows.append((how, f"{images / (last.at - first.at):.0f}", *cpu, *wire))
        print(*rows[-1], file=sys.stderr, flush=True)
    who = ("hub", "the board's coordinator", "its workers", "sender")
    head = (
        *("images by", "images/s", *(f"CPU ms: {each}" for each in who)),
        *("bytes: board's link", "sender's link"),
    )
    return table(head, rows)


def shares(album: Album) -> str:
    """Let three boards of different speed share runs; return the table."""
    rows: list[tuple[str, ...]] = []
    for how, images in ((BY_PATH, 20_000), (BY_BYTES, 5_000)):
        with setting() as here:
            for number, speed in enumerate(SPEEDS):
                here.add(f"board-{number}", speed, album)
            here.run(album, images // len(album), how)
            account = album.account(here.many.results(), repeats=images // len(album))
        speeds = [cores * 1000 / ms for ms, cores in SPEEDS]
        for number, rate in enumerate(speeds):
            part = account.boards[f"board-{number}"] / images
            due = rate / sum(speeds)
            rows.append((f"{images} by {how}", f"{rate:.0f}", f"{due:.1%}", f"{part:.1%}"))
            print(*rows[-1], file=sys.stderr, flush=True)
    return table(
        ("images", "NPU's images/s", "its part of all NPUs", "its part of the results"), rows
    )


def main() -> int:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.cluster")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=PARTS)
    parts: Sequence[str] = parser.parse_args().parts
    measures = {"scaling": scaling, "costs": costs, "shares": shares}
    with tempfile.TemporaryDirectory() as folder:
        for part in parts:
            what, pictures = found(None) if part == "costs" else ("renders", renders(folder))
            copies = [shutil.copy(each, folder) for each in pictures]
            album = make_album(Path(folder) / part, [Path(each) for each in copies], DIFFERENT)
            size = sum(each.stat().st_size for each in album.folder.iterdir()) / len(album) / 1000
            print(f"\n{part}, {what} of {size:.0f} kB\n\n{measures[part](album)}", flush=True)
    return 0


def renders(folder: str) -> list[Path]:
    """Draw some images."""
    return write_renders(Path(folder) / "renders", count=DIFFERENT, seed=7)


if __name__ == "__main__":
    sys.exit(main())
