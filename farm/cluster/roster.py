"""Which boards are at a hub: the list of what they say of themselves, checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from msgspec.structs import replace
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.kv import KV_OP

from farm.cluster import names
from farm.cluster.messages import LARGEST_ID
from farm.cluster.presence import Presence, decode
from farm.errors import HubError
from farm.system.terminal import printable

STREAM: Final = f"KV_{names.BOARDS}"  # a bucket is a stream of this name, its keys are subjects
SUBJECTS: Final = f"$KV.{names.BOARDS}."
LARGEST: Final = 8192  # bytes of what a board says of itself: ten times what it needs
MOST_BOARDS: Final = 10_000
MOST_CORES: Final = 64  # of an NPU
TOO_MANY: Final = "there are too many boards"
LONGEST_REASON: Final = 200
AT_ONCE: Final = 256
READER_SECONDS: Final = 30.0  # after which the hub forgets a reader that was cut off


@dataclass(frozen=True, slots=True)
class Seen:
    """A board, and how many seconds ago it said so, by the hub's clock: a board's may be wrong."""

    board: Presence
    age: float


@dataclass(frozen=True, slots=True)
class Roster:
    """The boards at a hub, by name; `refused` has why others are left out, and how many."""

    seen: tuple[Seen, ...] = ()
    refused: dict[str, int] = field(default_factory=dict)


async def boards(js: JetStreamContext) -> list[Presence]:
    """Return the boards that are there now, by name; raises what the client of NATS raises."""
    return [each.board for each in (await read(js)).seen]


async def read(js: JetStreamContext) -> Roster:
    """Return the boards that are there now; raises what the client of NATS raises."""
    config = ConsumerConfig(
        ack_policy=AckPolicy.NONE,
        deliver_policy=DeliverPolicy.LAST_PER_SUBJECT,
        inactive_threshold=READER_SECONDS,
        mem_storage=True,
    )
    reader = await js.pull_subscribe(f"{SUBJECTS}>", stream=STREAM, config=config)
    info = await reader.consumer_info()
    try:
        came: dict[str, Msg] = {}
        pending = info.num_pending or 0
        while pending and len(came) < MOST_BOARDS:
            found = await reader.fetch(min(pending, AT_ONCE))
            came |= {each.subject.removeprefix(SUBJECTS): each for each in found}
            pending = found[-1].metadata.num_pending
    finally:
        await reader.unsubscribe()
        await js.delete_consumer(STREAM, info.name)
    return roster(came.items(), info.created, left_out=pending)


def roster(came: Iterable[tuple[str, Msg]], now: datetime, *, left_out: int = 0) -> Roster:
    """Return the boards of the bucket's messages by key, `now` by the hub's clock."""
    seen, refused = [], Counter({TOO_MANY: left_out} if left_out else {})
    for key, message in came:
        if KV_OP in (message.headers or {}):  # it has left
            continue
        try:
            board = accepted(key, message.data)
        except HubError as error:
            refused[printable(str(error))[:LONGEST_REASON]] += 1
            continue
        age = (now - message.metadata.timestamp).total_seconds()
        seen.append(Seen(board, max(0.0, age)))
    seen.sort(key=lambda each: (each.board.board, each.board.id))
    return Roster(tuple(seen), dict(refused))


def accepted(key: str, data: bytes) -> Presence:
    """Return the board that this value of a key is, its name fit for a terminal.

    Raises HubError for what no npu-farm says.
    """
    if len(data) > LARGEST:
        raise HubError(f"what a board says of itself has {len(data)} bytes, more than {LARGEST}")
    board = decode(data)
    if board.id != key:
        raise HubError("a board speaks for another one")
    if not all(text.isprintable() for text in texts(board)):
        raise HubError("what a board says it serves has characters that can't be shown")
    cores = board.npu_load or ()
    if len(cores) > MOST_CORES or not all(0 <= each < LARGEST_ID for each in figures(board)):
        raise HubError("what a board says of itself has figures that can't be")
    return replace(board, board=printable(board.board))


def texts(board: Presence) -> Iterator[str]:
    """Yield the texts that decide which queues a board serves: not to be changed, only refused."""
    offer = board.offer
    yield from (board.id, offer.name, offer.model, offer.task, offer.reading)
    yield from (offer.labels or "", offer.settings, offer.platform)


def figures(board: Presence) -> Iterator[float]:
    """Yield the figures of a board, all of which are from 0 on."""
    yield from (board.started, board.at, board.size, board.rate, board.ok, board.failed)
    yield from (board.held, board.window, board.memory_mb, board.available_mb)
    yield from board.npu_load or ()
    yield abs(board.hottest or 0.0)
