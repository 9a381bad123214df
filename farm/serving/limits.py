"""How much a service takes on, how large, for how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MB: Final = 1 << 20
# What a client may set for its request, in seconds.
SHORTEST_TIMEOUT: Final = 0.001
LONGEST_TIMEOUT: Final = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most that a service takes on.

    `queue` images are waiting or with the workers, `images` of one request. A body has
    `body_bytes`, all that are held at a time `held_bytes`. A request is answered within `seconds`.
    `connections` are open at a time. Who has not sent a request after `sending_seconds` sends fast
    enough, or is cut off.
    """

    queue: int = 1024
    images: int = 64
    body_bytes: int = 32 * MB
    held_bytes: int = 256 * MB
    seconds: float = 60.0
    connections: int = 1024
    sending_seconds: float = 10.0
