"""What a sender has in the hub, and what has come back: each image counts once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from farm.cluster.events import Key
from farm.cluster.messages import Answered, Answers
from farm.cluster.soundness import is_gone
from farm.sources.base import Ref

FIRST_GUESS: Final = 256 << 10  # bytes of an image before one is known
WEIGHT: Final = 1 / 32  # of an image in the mean of their sizes
MOST_UNPACKED: Final = 64  # images: their sizes are not known yet
PARTS: Final = 4  # of what fits into the hub at once: a job is no larger than one


MOST_GONE: Final = 3  # times that an image is sent again; then that is its result


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """How much of a sender's may be in the hub at once."""

    images: int
    bytes: int


@dataclass(slots=True)
class Sent:
    """An image that has no answer: how many bytes it has, and which job of the hub's it is in.

    `at` is since when it may be read, in seconds since 1970. The others are None until the hub has
    it. `missed` counts in how many looks in a row the hub had nothing of the run; `gone` how many
    boards did not find the image there: it is sent again then, as all that the hub has lost.
    """

    ref: Ref
    at: float
    size: int | None = None
    job: int | None = None
    missed: int = 0
    gone: int = 0


class Ledger:
    """What a run has sent and has no answer, what has one and is not written yet.

    Images are known by their ids, messages of results by their keys. `strays` counts
    answers that nobody waits for, `mean` is that of the images' bytes, the last ones above all.
    What is `finished`, the hub can forget.
    """

    def __init__(self) -> None:
        self._sent: dict[int, Sent] = {}
        self._unpacked = self._bytes = 0
        self.mean = float(FIRST_GUESS)
        self._unwritten: dict[int, Key | None] = {}  # the message that each came in
        self._open: dict[Key, int] = {}  # results of a message that are not written
        self._finished: list[Key] = []
        self.strays = 0

    @property
    def outstanding(self) -> int:
        """How many images have no answer."""
        return len(self._sent)

    @property
    def unwritten(self) -> int:
        """How many results are not written."""
        return len(self._unwritten)

    @property
    def bytes(self) -> int:
        """How many bytes the images have that are in the hub."""
        return self._bytes

    def room(self, bound: Bound, wanted: int) -> int:
        """Return how many images to send now: `wanted`, less if few fit at all, 0 to wait."""
        mean = max(1, int(self.mean))
        fitting = min(bound.images, bound.bytes // mean)
        wanted = max(1, min(wanted, fitting // PARTS))
        held = len(self._sent) + len(self._unwritten)
        if not held:
            return wanted
        left = bound.bytes - self._bytes - self._unpacked * mean
        room = min(bound.images - held, MOST_UNPACKED - self._unpacked, left // mean)
        return wanted if room >= wanted else 0

    def send(self, number: int, ref: Ref, at: float) -> None:
        """Take in that an image is on its way to the hub, and may be read from `at` on."""
        self._sent[number] = Sent(ref, at)
        self._unpacked += 1

    def refuse(self, number: int) -> Ref:
        """Take in that an image can't be sent: it has its result, an error, already."""
        sent = self._end(number)
        self._unwritten[number] = None
        return sent.ref

    def store(self, job: int, sizes: Mapping[int, int]) -> None:
        """Take in that the hub has images, of which `sizes` tells the bytes, in this job."""
        for number, size in sizes.items():
            self.mean += (size - self.mean) * WEIGHT
            sent = self._sent.get(number)
            if sent is not None and sent.size is None:  # else its answer was quicker
                self._unpacked -= 1
                self._bytes += size
                sent.size, sent.job = size, job

    def receive(self, message: Key, answers: Answers) -> list[tuple[Sent, Answered]]:
        """Return those of a message's answers that are waited for, with the images they are of."""
        if message in self._open:  # it comes again, since its results are not written yet
            return []
        fresh = []
        for answered in answers.answered:
            number = answered.result.id
            if number not in self._sent:
                self.strays += 1
                continue
            if is_gone(answered.result) and self._sent[number].gone < MOST_GONE:
                self._sent[number].gone += 1
                continue
            fresh.append((self._end(number), answered))
            self._unwritten[number] = message
        if fresh:
            self._open[message] = len(fresh)
        else:
            self._finished.append(message)
        return fresh

    def found(self) -> None:
        """Take in that the hub has something of the run."""
        for sent in self._sent.values():
            sent.missed = 0

    def lost(self) -> list[tuple[int, Ref]]:
        """Take in that the hub has nothing of the run; return the images to send again.

        Those it had when it was looked at before, too: their answers can't be on their way.
        """
        lost = []
        for number, sent in self._sent.items():
            if sent.size is None:
                continue
            sent.missed += 1
            if sent.missed > 1:
                self._bytes -= sent.size
                self._unpacked += 1
                sent.size, sent.job, sent.missed = None, None, 0
                lost.append((number, sent.ref))
        return lost

    def write(self, number: int) -> None:
        """Take in that an image's result is written."""
        message = self._unwritten.pop(number)
        if message is None:
            return
        self._open[message] -= 1
        if not self._open[message]:
            del self._open[message]
            self._finished.append(message)

    def finished(self) -> list[Key]:
        """Return the messages that are done with since this was last asked."""
        finished, self._finished = self._finished, []
        return finished

    def withdraw(self, begun: int) -> None:
        """Forget the images of which no board has seen the job: the last one seen is `begun`."""
        for number, sent in list(self._sent.items()):
            if sent.job is None or sent.job > begun:
                self._end(number)

    def _end(self, number: int) -> Sent:
        sent = self._sent.pop(number)
        if sent.size is None:
            self._unpacked -= 1
        else:
            self._bytes -= sent.size
        return sent
