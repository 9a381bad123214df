"""What this machine allows to strike with."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.chaos.chance import Chance
from tests.chaos.crew import Crew
from tests.chaos.faults import Descriptors, Fault, Freezers, Server, Starts, Workers, naps
from tests.chaos.plan import Chaos
from tests.chaos.share import Share, share
from tests.chaos.striker import Striker
from tests.helpers import freezer, fuse, pids_limit

RARE: Final = 1 / 20  # of the strikes are at the fork server, as many are late images
RARER: Final = 1 / 40  # are naps of the coordinator; have no descriptors; have no processes
HELD: Final = 1 / 100  # hold a worker or the fork server for ever
FOR_EVER: Final = "processes frozen for ever"
LATE: Final = "late images"
NO_PROCESSES: Final = "no processes"


@dataclass(frozen=True, slots=True)
class Arsenal:
    """The striker, the late images, and what is left out, with the reasons."""

    striker: Striker
    share: Share | None
    left_out: dict[str, str]


@contextmanager
def arsenal(chaos: Chaos, crew: Crew, paths: list[Path]) -> Iterator[Arsenal]:
    """Get everything ready; at the end, let go what is held."""
    chance = Chance(chaos.seed, chaos.longest)
    whys = {
        LATE: fuse.why_not(),
        FOR_EVER: freezer.why_not(),
        NO_PROCESSES: pids_limit.why_not(),
    }

    def times(part: float) -> int:
        return max(1, int(chaos.strikes * part))

    with ExitStack() as stack:
        faults: dict[Fault, int] = {
            Server(crew, chance): times(RARE),
            stack.enter_context(naps(chance)): times(RARER),
            Starts("no descriptors", Descriptors(crew), crew, chance): times(RARER),
        }
        if chaos.for_ever and not whys[FOR_EVER]:
            freezers = [stack.enter_context(freezer.freezer()) for _ in range(times(HELD))]
            faults[Freezers(crew, chance, freezers)] = times(HELD)
        late = None
        if not whys[LATE]:  # closed before: what waits for its images can't be thawed
            late = stack.enter_context(share(paths, chaos, times(RARE), chance))
        if not whys[NO_PROCESSES]:  # at last: what was started before may start more
            limit = stack.enter_context(pids_limit.pids_limit())
            limit.add(os.getpid())
            faults[Starts(NO_PROCESSES, limit, crew, chance)] = times(RARER)
        faults[Workers(crew, chance)] = chaos.strikes - sum(faults.values())
        striker = Striker(chance, faults, [late] if late else [], between=chaos.between)
        yield Arsenal(striker, late, {what: why for what, why in whys.items() if why})
