"""One chaos run of a cluster: what happened, and what should not have."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nats.js import JetStreamContext

from farm.cluster import names
from farm.errors import EXIT_NO_FARM, EXIT_SOME_FAILED
from farm.sources.renders import write_renders
from tests.chaos.chance import Chance
from tests.chaos.faults import Fault
from tests.chaos.striker import Striker
from tests.chaos_cluster.faults import Deaths, Freezes, Links, Outages, Senders
from tests.chaos_cluster.scene import Scene, scene
from tests.helpers.album import Album, make_album
from tests.helpers.cluster import at_hub

DIFFERENT: Final = 100  # images
UNLUCKY: Final = 1 / 200  # of the images, at most: their boards were struck again and again
AGAIN_SECONDS: Final = 0.3  # until the sender is started again


@dataclass(frozen=True, slots=True, kw_only=True)
class Chaos:
    """How many images and boards, and how a cluster is struck.

    A strike every `between` seconds on average, `strikes` in all, then the rest is done in peace.
    What lasts a while does so for up to `longest` seconds; a board that is silent for `ack_seconds`
    loses its jobs. The run must end within `limit` seconds.
    """

    images: int
    boards: int
    seed: int
    strikes: int
    between: float
    longest: float
    ack_seconds: float
    limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run was like, and what it should not have been."""

    facts: dict[str, str]
    violations: tuple[str, ...]


def run(chaos: Chaos, folder: Path) -> Report:
    """Classify the images amid the chaos; the folder has all files."""
    begun, chance = time.monotonic(), Chance(chaos.seed, chaos.longest)
    pictures = write_renders(folder / "renders", count=DIFFERENT, seed=chaos.seed)
    album = make_album(folder / "album", pictures, DIFFERENT)
    repeats = chaos.images // DIFFERENT
    with scene(folder, chaos.boards, chaos.ack_seconds) as struck:
        striker = Striker(chance, faults(struck, chance, chaos.strikes), [], between=chaos.between)
        striker.start()
        try:
            ends = send_all(struck, album, repeats, until=begun + chaos.limit)
        finally:
            striker.stop()
        results = struck.many.results()
        left = {name: left_in(struck, name) for name in (names.JOBS, names.RESULTS)}
    account = album.account(results, repeats=repeats)
    unlucky = account.errors.pop("lost_boards", 0)
    facts = {
        "strikes": f"{striker.struck.total()}",
        **{how: f"{striker.struck[how]}" for how in sorted(striker.struck)},
        "senders, by exit code": ", ".join(f"{code}: {n}" for code, n in sorted(ends.items())),
        "results": f"{len(results)}",
        "lost": f"{account.lost}",
        "double": f"{account.double}",
        "wrong": f"{account.wrong}",
        "lost_boards": f"{unlucky}",
        **{f"by {board}": f"{n}" for board, n in sorted(account.boards.items())},
        **{f"left in {name}": f"{n}" for name, n in left.items()},
        "seconds": f"{time.monotonic() - begun:.0f}",
        "seed": f"{chaos.seed}",
    }
    bad = [] if ends.keys() & DONE else ["the run did not end in time"]
    bad += [] if account.is_clean else [f"{account}"]
    bad += ["too many lost_boards"] if unlucky > max(20, chaos.images * UNLUCKY) else []
    bad += ["too few strikes"] if striker.struck.total() < chaos.strikes / 2 else []
    bad += [f"exit code {code} of a sender" for code in ends.keys() - DONE - STRUCK]
    bad += ["jobs are left in the hub"] if left[names.JOBS] else []
    return Report(facts=facts, violations=tuple(bad))


DONE: Final = {0, EXIT_SOME_FAILED}
# It was struck, or there was no board or no hub at its start.
STRUCK: Final = {-9, -15, 143, EXIT_NO_FARM}


def faults(struck: Scene, chance: Chance, strikes: int) -> dict[Fault, int]:
    """What strikes, and how often."""
    shares: dict[Fault, float] = {
        Deaths(struck, chance): 0.3,
        Freezes(struck, chance): 0.25,
        Links(struck, chance): 0.25,
        Outages(struck, chance): 0.1,
        Senders(struck, chance): 0.1,
    }
    return {fault: max(1, round(strikes * share)) for fault, share in shares.items()}


def send_all(struck: Scene, album: Album, repeats: int, *, until: float) -> Counter[int]:
    """Start senders until one is done; return their exit codes."""
    ends = Counter[int]()
    while not ends.keys() & DONE and time.monotonic() < until:
        ends[struck.send(album.folder, "-r", f"{repeats}", until=until)] += 1
        time.sleep(AGAIN_SECONDS)
    return ends


def left_in(struck: Scene, stream: str) -> int:
    """How many messages are left in a stream of the hub."""

    async def look(js: JetStreamContext) -> int:
        return (await js.stream_info(stream)).state.messages

    return at_hub(struck.hub.address, look)
