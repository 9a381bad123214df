"""A hub at one moment: its boards, what waits for them and for senders, its store; plain data."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec
from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo, StreamInfo
from nats.js.errors import NotFoundError

from farm.cluster import names, roster
from farm.cluster.presence import Presence
from farm.cluster.roster import Roster, Seen
from farm.cluster.streams import ensure

VERSION: Final = 1  # the next one for any change that another program would misread
STREAMS: Final = {"jobs": names.JOBS, "results": names.RESULTS, "objects": names.OBJECTS}
DIGITS: Final = "[0-9a-f]"
JOB: Final = re.compile(names.job_subject(f"(?P<queue>{DIGITS}{{24}})", f"(?P<run>{DIGITS}{{20}})"))
RESULT: Final = re.compile(names.result_subject(f"(?P<run>{DIGITS}{{20}})"))


class Struct(msgspec.Struct, frozen=True, kw_only=True):
    """Plain data, frozen."""


class Queue(Struct, frozen=True, kw_only=True):
    """The jobs of one queue: those that wait, and those that boards hold.

    `model` is what its boards serve, None where no board does now.
    """

    queue: str
    model: str | None
    simulated: bool
    waiting: int
    in_flight: int


class Run(Struct, frozen=True, kw_only=True):
    """What the hub holds of a run: jobs that are not answered, answers its sender has not taken."""

    run: str
    jobs: int
    results: int


class Store(Struct, frozen=True, kw_only=True):
    """How many bytes there are of jobs, results or objects, and how many there may be."""

    name: str
    used: int
    limit: int


class Overview(Struct, frozen=True, kw_only=True):
    """A hub at the moment `at` (seconds since 1970, by the clock of who has looked).

    Jobs and results are messages, of several images each. `refused` has why what boards say of
    themselves is left out, and how often; `strays` counts messages under names that no npu-farm
    gives.
    """

    version: int = VERSION
    at: float
    boards: tuple[Seen, ...]
    refused: dict[str, int]
    queues: tuple[Queue, ...]
    runs: tuple[Run, ...]
    stores: tuple[Store, ...]
    strays: int


class Model(Struct, frozen=True, kw_only=True):
    """What there is of one model: boards, their images per second, jobs; None is of no board."""

    model: str | None
    simulated: bool
    boards: int
    rate: float
    waiting: int
    in_flight: int


async def look(js: JetStreamContext) -> Overview:
    """Return what a hub is now; its streams are made if it has none.

    Raises HubError where the server can't have them, else what the client of NATS raises.
    """
    try:
        return await _read(js)
    except NotFoundError:
        await ensure(js)
        return await _read(js)


async def _read(js: JetStreamContext) -> Overview:
    seen = await roster.read(js)
    infos = {
        each: await js.stream_info(name, None if name == names.OBJECTS else ">")
        for each, name in STREAMS.items()
    }
    consumers: list[ConsumerInfo] = []
    while page := await js.consumers_info(names.JOBS, offset=len(consumers)):
        consumers += page
    return overview(seen, infos, consumers, time.time())


def overview(
    seen: Roster, infos: Mapping[str, StreamInfo], consumers: Iterable[ConsumerInfo], at: float
) -> Overview:
    """Return what comes of what a hub's streams say, which count messages by subject."""
    in_queues: Counter[str] = Counter()
    jobs: Counter[str] = Counter()
    results: Counter[str] = Counter()
    strays = 0
    for kind in ("jobs", "results"):
        for subject, count in (infos[kind].state.subjects or {}).items():
            if job := JOB.fullmatch(subject):
                in_queues[job["queue"]] += count
                jobs[job["run"]] += count
            elif result := RESULT.fullmatch(subject):
                results[result["run"]] += count
            else:
                strays += count
    return Overview(
        at=at,
        boards=seen.seen,
        refused=seen.refused,
        queues=tuple(queues(seen.seen, in_queues, consumers)),
        runs=tuple(
            Run(run=run, jobs=jobs[run], results=results[run]) for run in sorted({*jobs, *results})
        ),
        stores=tuple(
            Store(name=name, used=info.state.bytes, limit=info.config.max_bytes or 0)
            for name, info in infos.items()
        ),
        strays=strays,
    )


def queues(
    seen: Iterable[Seen], jobs: Mapping[str, int], consumers: Iterable[ConsumerInfo]
) -> Iterator[Queue]:
    """Yield the queues with jobs, and those of boards that are there."""
    offers = {queue: each.board.offer for each in seen for queue in each.board.offer.queues()}
    held = {each.name: each.num_ack_pending or 0 for each in consumers}
    for queue in sorted({*offers, *jobs}):
        offer, count = offers.get(queue), jobs.get(queue, 0)
        in_flight = min(count, held.get(names.queue_consumer(queue), 0))
        yield Queue(
            queue=queue,
            model=None if offer is None else offer.name,
            simulated=offer is not None and offer.simulated,
            waiting=count - in_flight,
            in_flight=in_flight,
        )


def models(seen: Overview) -> list[Model]:
    """Return what boards serve or jobs wait for, by model; a name stands for all its files."""
    boards: dict[tuple[str | None, bool], list[Presence]] = {}
    waiting: Counter[tuple[str | None, bool]] = Counter()
    in_flight: Counter[tuple[str | None, bool]] = Counter()
    for each in seen.boards:
        offer = each.board.offer
        boards.setdefault((offer.name, offer.simulated), []).append(each.board)
    for queue in seen.queues:
        waiting[queue.model, queue.simulated] += queue.waiting
        in_flight[queue.model, queue.simulated] += queue.in_flight
    return [
        Model(
            model=model,
            simulated=simulated,
            boards=len(serving := boards.get((model, simulated), [])),
            rate=sum(each.rate for each in serving),
            waiting=waiting[model, simulated],
            in_flight=in_flight[model, simulated],
        )
        for model, simulated in sorted(
            {*boards, *waiting}, key=lambda each: (each[0] is None, each)
        )
    ]
