"""What a board says of itself at a hub, again and again, as plain data; checked on arrival."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from farm.cluster.offer import Offer
from farm.errors import HubError
from farm.watch.snapshot import Snapshot

VERSION: Final = 1  # the next one for any change that another program would misread
EVERY_SECONDS: Final = 3.0
Short = Annotated[str, msgspec.Meta(max_length=256)]


class Presence(msgspec.Struct, frozen=True, kw_only=True):
    """A board at the moment `at`; both times are in seconds since 1970, by its own clock.

    `id` is no other board's, `board` is what people call it. `size` is its number of runtimes,
    `rate` in images per second over the last 10 s; `ok` and `failed` count images since `started`.
    It holds `held` images of the hub's, and asks for no more above `window`. `npu_load` is the
    share (0 to 1) of time in which each NPU core worked, None where that is not known; `hottest`
    the highest temperature in degrees C.
    """

    version: int = VERSION
    id: Short
    board: Short
    started: float
    at: float
    offer: Offer
    size: int
    rate: float
    ok: int
    failed: int
    held: int
    window: int
    npu_load: tuple[float, ...] | None
    hottest: float | None
    memory_mb: float
    available_mb: float


_DECODER: Final = msgspec.json.Decoder(Presence)


def encode(presence: Presence) -> bytes:
    """Return a presence as JSON."""
    return msgspec.json.encode(presence)


def decode(data: bytes) -> Presence:
    """Return the presence that `encode` has made JSON of; raises HubError if it is none."""
    try:
        presence = _DECODER.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise HubError(f"what a board says of itself can't be read: {error}") from error
    if presence.version != VERSION:
        raise HubError(f"a board speaks version {presence.version}; this is version {VERSION}")
    return presence


def presence_of(who: Presence, snapshot: Snapshot, *, held: int, window: int) -> Presence:
    """Return what a board is now, of which `who` tells what does not change."""
    farm, board = snapshot.farm, snapshot.board
    temperatures = board.temperatures.values()
    changed: dict[str, object] = {
        "at": snapshot.at,
        "held": held,
        "window": window,
        "hottest": max(temperatures, default=None),
        "memory_mb": board.memory_mb,
        "available_mb": board.available_mb,
    }
    if farm is not None:
        changed |= {
            "rate": farm.rate,
            "ok": farm.ok,
            "failed": sum(farm.failures.values()),
            "npu_load": farm.npu_load,
        }
    return msgspec.structs.replace(who, **changed)
