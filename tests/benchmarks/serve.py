"""The service beside a run over the same photos, in turns; then twice what it can do.

    python -m tests.benchmarks.serve

Prints tables for docs/performance.md. The NPU is simulated.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Final

from farm.system.process_usage import cpu_seconds, pss_mb, tree
from tests.benchmarks import wrk
from tests.benchmarks.__main__ import found, numbers
from tests.benchmarks.npu import RK3588, Npu
from tests.benchmarks.running import ended, farm_of, spent, spread, start, table
from tests.helpers.load import Load, Photos, Tally, classes
from tests.helpers.server import Server, serving

FEW: Final = 16  # connections whose answers are looked at
QUEUE: Final = 64  # images that wait at most, where more come than can be answered
MANY: Final = 512  # connections on which these come
PATIENCE: Final = 60.0  # seconds
HEAD: Final = (
    *("connections", "images/s", "of the run beside it", "p50, p99 ms"),
    *("CPU ms per image: server, workers, wrk", "refused, broken"),
)


@dataclass(frozen=True, slots=True)
class Turn:
    """What so many connections came to; `ratio` is to the run beside it, CPU in ms per image."""

    seen: wrk.Served
    ratio: float
    cpu_ms: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is measured: photos on an NPU, in rounds of turns of so many seconds.

    In each round every number of `connections` has a turn.
    """

    connections: tuple[int, ...]
    photos: tuple[str, ...]
    npu: Npu
    rounds: int
    seconds: int


def main() -> int:
    """Measure and print; exit code 1 if an answer was wrong or never came."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.serve")
    parser.add_argument("--connections", type=numbers, default=(1, 16, 256, 1000))
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=int, default=5, help="of each turn")
    parser.add_argument("--npu", type=Npu.parse, default=Npu.parse(RK3588), help="CORESxMS")
    parser.add_argument("--pictures", type=Path, help="Without: ImageNet photos, or our renders.")
    given = parser.parse_args()
    what, photos = found(given.pictures)
    asked = Asked(
        connections=given.connections,
        photos=photos,
        npu=given.npu,
        rounds=given.rounds,
        seconds=given.seconds,
    )
    npu = f"simulated NPU of {asked.npu.cores} x {asked.npu.service_ms} ms"
    print(f"{len(photos)} {what}, {npu}, 3 runtimes; {asked.rounds} rounds of {asked.seconds} s a")
    print("row in turns with a run over the same photos; medians, and from lowest to highest.\n")
    checked = of_a_run(asked)
    capacity, wrong = measured(asked, checked)
    wrong += too_much(asked, checked, capacity)
    return 1 if wrong else 0


def measured(asked: Asked, photos: Photos) -> tuple[float, int]:
    """Print the table of connections; return the highest rate, and how many were wrong."""
    with serving(*farm_of(asked.npu)) as server:
        load(server, asked, FEW)
        turns = one_round(server, asked)
        before, warm = memory(server), total(turns)
        for _ in range(asked.rounds - 1):
            turns += one_round(server, asked)
        after = memory(server)
        tally = check(server, photos, asked.seconds)
    counts = asked.connections
    by_count = {count: turns[at :: len(counts)] for at, count in enumerate(counts)}
    print(table(HEAD, [row(count, each) for count, each in by_count.items()]))
    print(
        f"\nMemory (PSS) after {warm} images and after {total(turns)}: server {before[0]:.0f} and"
    )
    print(f"{after[0]:.0f} MB, workers {before[1]:.0f} and {after[1]:.0f} MB.")
    print(f"Another client looked at {tally.seen[200]} answers: {len(tally.wrong)} wrong.\n")
    return max(median(turn.seen.rate for turn in each) for each in by_count.values()), failures(
        tally
    )


def one_round(server: Server, asked: Asked) -> list[Turn]:
    """Run once, then serve each number of connections."""
    before = spent()
    repeat = max(1, round(asked.seconds * 1000 / asked.npu.limit_ms(3) / len(asked.photos)))
    run = ended(start(asked.photos, repeat, asked.npu), repeat * len(asked.photos), before)
    progress(f"run: {run.rate:.0f} images/s, {run.cpu_ms:.2f} ms of CPU each")
    return [a_turn(server, asked, connections, run.rate) for connections in asked.connections]


def a_turn(server: Server, asked: Asked, connections: int, alone: float) -> Turn:
    """Serve so many connections; `alone` is the rate of the run beside it."""
    before, of_wrk = used(server), spent()
    seen = load(server, asked, connections)
    cpu = [now - then for now, then in zip(used(server), before, strict=True)]
    cpu_ms = [seconds * 1000 / max(1, seen.answers) for seconds in (*cpu, spent() - of_wrk)]
    turn = Turn(seen, seen.rate / alone, (cpu_ms[0], cpu_ms[1], cpu_ms[2]))
    progress(f"{connections}: {seen.rate:.0f} images/s, {turn.ratio:.2f} of the run's")
    return turn


def too_much(asked: Asked, photos: Photos, capacity: float) -> int:
    """Ask for twice the capacity, and print what came of it; return how many were wrong."""
    pause_ms = round(MANY / (2 * capacity) * 1000)
    with serving(*farm_of(asked.npu), "--queue", str(QUEUE)) as server:
        load(server, asked, FEW)
        before = memory(server)
        with Load(address(server), photos, connections=FEW // 2, patience=PATIENCE) as looking:
            seen = load(server, asked, MANY, seconds=2 * asked.seconds, pause_ms=pause_ms)
            tally = looking.end()
        after = memory(server)
    all_of_them = seen.answers + seen.refused
    cuts = quantiles([seconds * 1000 for seconds in tally.took], n=100)
    print(f"Twice that ({MANY} connections that pause {pause_ms} ms, a queue of {QUEUE} images):")
    print(
        f"{all_of_them / seen.seconds:.0f} requests/s, of which {seen.rate:.0f} were answered and"
    )
    print(
        f"{seen.refused / seen.seconds:.0f} refused (429), {seen.broken} broken. The accepted took"
    )
    print(f"{cuts[49]:.0f} ms (p50), {cuts[98]:.0f} (p99), {max(tally.took) * 1000:.0f} (longest);")
    print(f"memory of the server {before[0]:.0f} and {after[0]:.0f} MB, {len(tally.wrong)} wrong.")
    return failures(tally)


def of_a_run(asked: Asked) -> Photos:
    """Return the photos, with the answers of a run."""
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder, "run.jsonl")
        run = start(asked.photos, 1, asked.npu, "-o", str(lines))
        _, said = run.communicate()
        assert run.returncode == 0, said
        told = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    files = {path: Path(path).read_bytes() for path in asked.photos}
    return Photos(files=files, expected={each["path"]: classes(each) for each in told})


def check(server: Server, photos: Photos, seconds: int) -> Tally:
    """Post all photos, and look at each answer."""
    with Load(address(server), photos, connections=FEW, patience=PATIENCE) as looking:
        time.sleep(seconds)
    return looking.tally


def failures(tally: Tally) -> int:
    """Return how many answers were wrong, and how many there were that should not be."""
    return len(tally.wrong) + sum(tally.seen[each] for each in tally.seen if each not in (200, 429))


def load(
    server: Server, asked: Asked, connections: int, seconds: int | None = None, pause_ms: int = 0
) -> wrk.Served:
    """Let wrk post the photos."""
    seconds = seconds or asked.seconds
    return wrk.load(
        server.url, asked.photos, connections=connections, seconds=seconds, pause_ms=pause_ms
    )


def row(connections: int, turns: Sequence[Turn]) -> tuple[str, ...]:
    """Return the cells of a number of connections."""
    seen = [turn.seen for turn in turns]
    times = (median(each.p50_ms for each in seen), median(each.p99_ms for each in seen))
    cpu = [median(each) for each in zip(*(turn.cpu_ms for turn in turns), strict=True)]
    return (
        f"{connections}",
        spread([each.rate for each in seen], ".0f"),
        spread([turn.ratio for turn in turns], ".2f"),
        ", ".join(f"{ms:.0f}" for ms in times),
        ", ".join(f"{ms:.2f}" for ms in cpu),
        f"{sum(each.refused for each in seen)}, {sum(each.broken for each in seen)}",
    )


def total(turns: Sequence[Turn]) -> int:
    """Return how many images were answered."""
    return sum(turn.seen.answers for turn in turns)


def used(server: Server) -> tuple[float, float]:
    """CPU seconds so far: of the server's process, of all below it."""
    pid = server.process.pid
    return cpu_seconds(pid) or 0.0, sum(cpu_seconds(each) or 0.0 for each in tree(pid).below)


def memory(server: Server) -> tuple[float, float]:
    """MB (PSS) now: of the server's process, of all below it."""
    pid = server.process.pid
    return pss_mb(pid) or 0.0, sum(pss_mb(each) or 0.0 for each in tree(pid).below)


def address(server: Server) -> tuple[str, int]:
    """Return where a server listens."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    return host, int(port)


def progress(text: str) -> None:
    """Tell who waits for the table."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
