"""What a board serves, what a run wants, and the queue in which they meet."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from farm.cluster.messages import VERSION
from farm.errors import NoBoardError

QUEUE_DIGITS: Final = 24
SHOWN_DIGITS: Final = 12  # of a hash, for people
SHORTEST_HASH: Final = 6  # digits of a hash that a run may name
SIMULATED: Final = "simulated"  # what a run names that wants no real NPU


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What a board serves: all that decides its answers.

    `model` is the SHA-256 of the model's content ("" of a simulated NPU, which has none), `name`
    what people call it, the same for the files of different SoCs. `labels` is the SHA-256 of the
    labels, or None; `settings` that of the config's keys that change answers. With `by_path`, it
    opens images by their paths, too. `version` is that of the messages it understands.
    """

    name: str
    model: str
    task: str
    reading: str
    labels: str | None
    settings: str
    simulated: bool
    platform: str
    by_path: bool
    version: int = VERSION

    def queues(self) -> tuple[str, ...]:
        """Return the queues that it serves."""
        hows = (False, True) if self.by_path else (False,)
        return tuple(
            queue(key, by_path=how) for how in hows for key in (self.exact_key, self.name_key)
        )

    @property
    def exact_key(self) -> tuple[object, ...]:
        """What boards with this very model have in common."""
        return (*self.name_key, self.model)

    @property
    def name_key(self) -> tuple[object, ...]:
        """What boards have in common that serve a model of this name, each as its SoC's file."""
        known = (self.version, self.name, self.task, self.reading, self.labels)
        return (*known, self.settings, self.simulated)

    def __str__(self) -> str:
        content = SIMULATED if self.simulated else f"SHA-256 {self.model[:SHOWN_DIGITS]}"
        return f"{self.name} ({content}), {self.task}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a run wants; None is whatever there is.

    `model` is a name, the beginning of a hash of at least six digits, or SIMULATED; `labels` is the
    SHA-256 of labels. With `by_path`, images are to be opened by their paths.
    """

    model: str | None = None
    task: str | None = None
    labels: str | None = None
    by_path: bool = False

    def fits(self, offer: Offer) -> bool:
        """Return whether an offer is what is wanted."""
        return (
            (self.model in (None, offer.name) or self.is_hash_of(offer) or self.is_simulated(offer))
            and self.task in (None, offer.task)
            and self.labels in (None, offer.labels)
            and (offer.by_path or not self.by_path)
            and offer.version == VERSION
        )

    def is_hash_of(self, offer: Offer) -> bool:
        """Return whether `model` is the beginning of this offer's hash."""
        said = self.model
        return said is not None and len(said) >= SHORTEST_HASH and offer.model.startswith(said)

    def is_simulated(self, offer: Offer) -> bool:
        """Return whether a simulated NPU is wanted, and this is one."""
        return self.model == SIMULATED and offer.simulated


@dataclass(frozen=True, slots=True)
class Choice:
    """The queue that a run's jobs go to, and one of the offers that serve it."""

    queue: str
    offer: Offer


def labels_digest(labels: tuple[str, ...]) -> str:
    """Return what stands for the names of classes."""
    return hashlib.sha256("\n".join(labels).encode()).hexdigest()


def queue(key: tuple[object, ...], *, by_path: bool) -> str:
    """Return the name of the queue of what boards have in common."""
    packed = json.dumps([*key, by_path]).encode()
    return hashlib.sha256(packed).hexdigest()[:QUEUE_DIGITS]


def choose(wish: Wish, offers: Iterable[Offer]) -> Choice:
    """Return the queue in which a run gets what it wants.

    That of one very model; or, if the run names a model of which boards have different files, that
    of the name. Simulated NPUs count only where there is nothing else, or where they are named.
    Raises NoBoardError with what there is where no board serves it, and where it is not clear what
    is wanted.
    """
    offers = list(offers)
    fitting = [offer for offer in offers if wish.fits(offer)]
    if not fitting:
        raise NoBoardError(f"{why_none(wish, offers)}\n{listed(offers)}")
    if wish.model != SIMULATED:
        fitting = [offer for offer in fitting if not offer.simulated] or fitting
    first = fitting[0]
    if len({offer.exact_key for offer in fitting}) == 1:
        return Choice(queue(first.exact_key, by_path=wish.by_path), first)
    if wish.model == first.name and len({offer.name_key for offer in fitting}) == 1:
        return Choice(queue(first.name_key, by_path=wish.by_path), first)
    raise NoBoardError(f"the boards serve different things: {what_differs(fitting)}")


def why_none(wish: Wish, offers: Iterable[Offer]) -> str:
    """Return why no board serves a wish."""
    if wish.by_path and any(replace(wish, by_path=False).fits(offer) for offer in offers):
        return (
            "no board that serves this run opens images by their paths: they do if they joined "
            "with --by-path"
        )
    return "no board serves what this run wants"


def what_differs(offers: Sequence[Offer]) -> str:
    """Return in what boards differ, with the flags that choose, and what there is."""
    by_flag: dict[str, set[object]] = {
        "--model NAME (or the beginning of its SHA-256)": {(o.name, o.model) for o in offers},
        "--task NAME": {o.task for o in offers},
        "--labels FILE": {o.labels for o in offers},
    }
    flags = [flag for flag, values in by_flag.items() if len(values) > 1]
    said = f"say which with {', '.join(flags)}" if flags else ""
    if len({(o.settings, o.reading) for o in offers}) > 1:
        said += "; " if said else ""
        said += (
            "their configs differ in what changes answers (task_options, input, output, decode, "
            "max_pixels, simulated): give them the same"
        )
    return f"{said}\n{listed(offers)}"


def listed(offers: Iterable[Offer]) -> str:
    """Return what boards serve, a line each, with how many do."""
    counts: dict[str, int] = {}
    for offer in offers:
        labels = "" if offer.labels is None else f", labels {offer.labels[:SHORTEST_HASH]}"
        extra = ", by path too" if offer.by_path else ""
        other = (
            "" if offer.version == VERSION else f"; speaks version {offer.version}, not {VERSION}"
        )
        said = f"{offer}{labels} on {offer.platform}{extra}{other}"
        counts[said] = counts.get(said, 0) + 1
    lines = [f"  {count} x {said}" for said, count in sorted(counts.items())]
    if not lines:
        return "no board has joined this hub; on each: npu-farm join HUB, with this address"
    return "\n".join(["the boards have:", *lines])
