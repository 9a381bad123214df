"""One chaos run: a simulated farm, a striker, a ledger, and what must be true at the end."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from unittest import mock

from farm.api import Farm
from farm.config.schema import FarmConfig
from farm.scheduler import lifecycle
from farm.sources.renders import write_renders
from tests.chaos.arsenal import Arsenal, arsenal
from tests.chaos.crew import Crew
from tests.chaos.ledger import Ledger
from tests.chaos.plan import Chaos
from tests.chaos.striker import Striker
from tests.helpers.support import simulated, wait_for
from tests.helpers.told import Told

DIFFERENT: Final = 100  # images
NPU_CORES: Final = 3
BATCH_SECONDS: Final = 3.0  # a frozen worker holds its batches for so long
START_SECONDS: Final = 10.0  # and a worker frozen while it starts, its slot for so long
SELF_TEST_SECONDS: Final = 5.0
UNLUCKY: Final = 1 / 1000  # of the images, at most: see Ledger.enter
UNLUCKY_FEW: Final = 2  # in a short run, in which nearly all workers are frozen at times
WARM: Final = 1 / 10  # of the images, until which buffers may still find their size
THAWED_SECONDS: Final = 10.0  # for what was held to end
GROWTH_MB: Final = 4.0  # less than anything that is kept for each image or each worker would take


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run was like, and what it should not have been."""

    facts: dict[str, str]
    violations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Memory:
    """The coordinator's resident memory, MB: when the farm is up, once it is warm, at the end."""

    start: float
    warm: float
    end: float


def run(chaos: Chaos) -> Report:
    """Classify the images amid the chaos."""
    config, told, crew = _config(chaos), Told(), Crew()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, _seats_for_ever():
        paths = write_renders(Path(folder), count=DIFFERENT, seed=chaos.seed)
        ledger = Ledger(paths, chaos.images, config)
        files = _open_files()  # now that the ledger has decoded, which keeps one open
        with arsenal(chaos, crew, paths) as with_what:
            if with_what.share is not None:
                ledger.copies, ledger.never = with_what.share.images, with_what.share.never
            with Farm(config, log=told) as farm:
                memory = _classify(farm, with_what.striker, ledger)
                run_dir, strays = farm.plan.workers[0].run_dir, farm.strays
    wait_for(lambda: not crew.everyone(), within=THAWED_SECONDS)
    left = [f"process {each.pid}" for each in crew.everyone()]
    left += [run_dir] if os.path.exists(run_dir) else []
    left += [f"{_open_files() - files} open files"] if _open_files() > files else []
    facts = {
        **_struck(with_what),
        "restarts": f"{len(told.of('worker_back'))}",
        **_ledger(ledger),
        "dropped messages": f"{strays}",
        "coordinator's memory": f"{memory.start:.1f} MB at the start, {memory.warm:.1f} MB after "
        f"{WARM:.0%}, {memory.end:.1f} MB at the end: grown by {memory.end - memory.warm:.1f} MB",
        "seconds": f"{time.monotonic() - begun:.0f}",
        "seed": f"{chaos.seed}",
    }
    bad = [*_unjust(chaos, with_what.striker, ledger), *(f"left behind: {what}" for what in left)]
    if memory.end - memory.warm > GROWTH_MB:
        bad.append("the coordinator's memory grew")
    return Report(facts=facts, violations=tuple(bad))


def _config(chaos: Chaos) -> FarmConfig:
    return simulated(
        size=chaos.workers,
        batch_seconds=BATCH_SECONDS,
        self_test_seconds=SELF_TEST_SECONDS,
        start_seconds=START_SECONDS,
        drain_seconds=1,  # who is frozen at the end never leaves by himself
        simulated={"service_ms": chaos.service_ms, "npu_cores": NPU_CORES},
    )


def _classify(farm: Farm, striker: Striker, ledger: Ledger) -> Memory:
    start = warm = _memory()
    striker.start()
    try:
        for result in farm.classify(ledger.images()):
            ledger.enter(result)
            if ledger.results == int(ledger.count * WARM):
                warm = _memory()
    finally:
        striker.stop()
    return Memory(start, warm, _memory())


def _struck(arsenal: Arsenal) -> dict[str, str]:
    struck = arsenal.striker.struck
    return {
        "strikes": f"{struck.total()}",
        **{how: f"{struck[how]}" for how in sorted(struck)},
        **({"late images": f"{arsenal.share.asked}"} if arsenal.share is not None else {}),
        **{f"left out: {what}": why for what, why in arsenal.left_out.items()},
    }


def _ledger(ledger: Ledger) -> dict[str, str]:
    return {
        "results": f"{ledger.results}",
        "lost": f"{ledger.lost}",
        "double": f"{ledger.double}",
        "wrong": f"{ledger.wrong}",
        "struck 3 times by chance": f"{ledger.unlucky}",
        "never answered, and named": f"{ledger.unread}",
    }


def _unjust(chaos: Chaos, striker: Striker, ledger: Ledger) -> Iterator[str]:
    if ledger.lost or ledger.double or ledger.wrong:
        yield f"{ledger.lost} lost, {ledger.double} double, {ledger.wrong} wrong"
    if ledger.unlucky > max(UNLUCKY_FEW, chaos.images * UNLUCKY):
        yield f"{ledger.unlucky} images ended in an error: too many to be chance"
    if striker.struck.total() < chaos.strikes / 2:
        yield "too few strikes"


@contextmanager
def _seats_for_ever() -> Iterator[None]:
    """Let no slot be given up, and none wait long: what strikes here is no fault of the slots'.

    A farm gives a slot up after its seventh death in a minute, a rate that this run exceeds on
    purpose; its limits are no settings, for who would raise them hides a broken board.
    """
    with mock.patch.multiple(
        lifecycle, DEATHS_ALLOWED=sys.maxsize, LONGEST_BACK_OFF=lifecycle.FIRST_BACK_OFF
    ):
        yield


def _memory() -> float:
    """This process's resident memory, MB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))
