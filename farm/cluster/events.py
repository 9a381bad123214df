"""What happens between a sender and the hub."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from farm.cluster.messages import Answers
from farm.cluster.presence import Presence
from farm.errors import HubError
from workers.protocol.messages import ItemError

Key = tuple[int, float]  # a message's number in the hub, and when it came there


@dataclass(frozen=True, slots=True)
class Unsendable:
    """An image that is not sent, and why."""

    number: int
    error: ItemError


@dataclass(frozen=True, slots=True)
class Stored:
    """A job that the hub has, by its number there: the bytes of its images by their ids."""

    job: int
    sizes: dict[int, int]


@dataclass(frozen=True, slots=True)
class Received:
    """A message of results, by its number in the hub and when the hub got it."""

    message: Key
    answers: Answers


@dataclass(frozen=True, slots=True)
class Present:
    """The boards that are there."""

    boards: Sequence[Presence]


@dataclass(frozen=True, slots=True)
class Counted:
    """How many messages of the run the hub has: `jobs`, and `results` that it has yet to send."""

    jobs: int
    results: int


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Nothing waits for a board any more: the last job that one has seen is `begun`."""

    begun: int


@dataclass(frozen=True, slots=True)
class Ended:
    """There will be no traffic any more."""

    error: HubError


Event = Unsendable | Stored | Received | Present | Counted | Withdrawn | Ended
