"""The results of a source's images from a hub's boards: an iterator, as a farm's run is one."""

from __future__ import annotations

import os
import select
import time
from collections import deque
from contextlib import suppress
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Final

from farm.cluster.answering import NO_TIME
from farm.cluster.crew import Crew
from farm.cluster.events import (
    Counted,
    Ended,
    Event,
    Present,
    Received,
    Stored,
    Unsendable,
    Withdrawn,
)
from farm.cluster.hub_thread import HubThread
from farm.cluster.jobs import MOST_IMAGES, images_of_next
from farm.cluster.ledger import Ledger
from farm.cluster.mail import Mail, Route
from farm.cluster.messages import Answered
from farm.results.ordering import ArrivalOrder, InputOrder
from farm.results.result import Result, path_of
from farm.results.resume import Remaining
from farm.sources.base import Ref
from farm.system.log import LOG
from farm.system.signals import Signals

DRAIN_SECONDS: Final = 10.0


class Sender:
    """Sends the items of `source` to the boards of a hub, and gives their results.

    It reads the source as results are written. Ids count from `first_id`, in the order of the
    source; with `ordered`, results come in it. An error of the source is raised once all items
    before it have their results. A first signal makes it drain, a second one ends it. Iterating
    raises HubError once the hub can't be used any more. With `keep`, the hub keeps results for
    another run to fetch if this one does not get to its end.
    """

    def __init__(  # noqa: PLR0913 - what a run is
        self,
        hub: HubThread,
        route: Route,
        crew: Crew,
        source: Remaining,
        signals: Signals,
        *,
        ordered: bool,
        first_id: int,
        keep: bool,
    ) -> None:
        self._hub, self._source, self._crew, self._signals = hub, source, crew, signals
        self._ledger = Ledger()
        self._order = InputOrder(first_id) if ordered else ArrivalOrder()
        self._first_id = self._next_id = first_id
        self._keep = keep
        self._events: deque[Event] = deque()
        self._ready: deque[Result] = deque()
        self._drain_until: float | None = None
        self._withdrawn = False
        self._source_error: Exception | None = None
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._mail = Mail(hub.link, route, self._tell)
        hub.closed = lambda error: self._tell(Ended(error))
        self.ended = False

    def __enter__(self) -> Sender:
        self._hub.do(self._mail.begin)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        done = error is None and not self._signals.received
        self._hub.call(self._end(forget=done or not self._keep))
        os.close(self._wake)

    async def _end(self, *, forget: bool) -> None:
        """End the traffic; nothing is told after it, as its descriptor may be another file's."""
        self._hub.closed = None
        await self._mail.end(forget=forget)

    def __iter__(self) -> Sender:
        return self

    def __next__(self) -> Result:
        while not self._ready:
            if self.ended:
                raise StopIteration
            self._advance()
        return self._ready.popleft()

    @property
    def submitted(self) -> int:
        """How many items have been taken from the source."""
        return self._next_id - self._first_id

    @property
    def strays(self) -> int:
        """How many answers were dropped: nobody waited for them."""
        return self._ledger.strays

    def write(self, result: Result, _now: float, /) -> None:
        """See farm.results.writers.Writer: the last of them, as the hub may forget it now."""
        self._ledger.write(result.id)
        self._acknowledge()

    def _tell(self, event: Event) -> None:
        """Take in, in the thread of the loop, what has happened."""
        self._events.append(event)
        os.eventfd_write(self._wake, 1)

    def _acknowledge(self) -> None:
        if finished := self._ledger.finished():
            self._hub.do(partial(self._mail.acknowledge, finished))

    def _advance(self) -> None:
        """Send, wait until something happens, take it in."""
        signals = self._signals.seen()
        if signals and self._drain_until is None:
            self._drain_until = time.monotonic() + DRAIN_SECONDS
            self._hub.do(self._mail.withdraw)
        waiting = self._feed()
        if self._is_over(signals):
            self.ended = True
            self._ready.extend(self._order.rest())  # what waited for results that won't come
            if self._source_error is not None:
                raise self._source_error
            return
        poller = select.poll()
        for fd in (self._wake, self._signals.fd, *waiting):
            poller.register(fd, select.POLLIN)
        left = None
        if self._drain_until is not None:
            left = max(0.0, self._drain_until - time.monotonic()) * 1000
        poller.poll(left)
        with suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        while self._events:
            self._handle(self._events.popleft())
        self._acknowledge()

    def _feed(self) -> tuple[int, ...]:
        """Send as much as there is room for; return the descriptors to wait on for more."""
        while not self._fed:
            total, crew = self._source.total, self._crew
            left = None if total is None else total - self._source.skipped - self.submitted
            room = self._ledger.room(crew.bound, images_of_next(left, crew.size))
            if not room:
                return ()
            try:
                refs = self._source.take(room)
            except Exception as error:
                self._source_error = error  # raised once all items before it have ended
                return ()
            if not refs:
                return self._source.fds
            now, images = time.time(), list(enumerate(refs, start=self._next_id))
            self._next_id += len(refs)
            for number, ref in images:
                self._ledger.send(number, ref, now)
            self._hub.do(partial(self._mail.post, images))
        return ()

    def _handle(self, event: Event) -> None:
        match event:
            case Unsendable(number, error):
                ref = self._ledger.refuse(number)
                failed = Result(
                    id=number, path=path_of(ref), error=error, worker=0, attempts=0, ms=NO_TIME,
                    simulated=False,
                )  # fmt: skip
                self._ready.extend(self._order.put(failed))
            case Stored(job, sizes):
                self._ledger.store(job, sizes)
            case Received(message, answers):
                for sent, answered in self._ledger.receive(message, answers):
                    path = path_of(sent.ref)
                    # Not the board's own time: its clock may be wrong.
                    result = replace(result_of(answered, path), read_at=sent.at)
                    self._ready.extend(self._order.put(result))
            case Present(boards):
                self._crew.update(boards)
            case Counted(0, 0) if self._drain_until is None:
                self._send_again(self._ledger.lost())
            case Counted():
                self._ledger.found()
            case Withdrawn(begun):
                self._ledger.withdraw(begun)
                self._withdrawn = True
            case Ended(error):
                raise error

    def _send_again(self, lost: list[tuple[int, Ref]]) -> None:
        """Send what the hub has lost: with its disk, or in a power cut."""
        if lost:
            told = f"the hub has lost {len(lost)} images; they are sent again"
            LOG.warning(told, extra={"event": "hub_has_lost", "images": len(lost)})
        for begin in range(0, len(lost), MOST_IMAGES):
            self._hub.do(partial(self._mail.post, lost[begin : begin + MOST_IMAGES]))

    def _is_over(self, signals: int) -> bool:
        until = self._drain_until
        if until is not None:
            done = self._withdrawn and not self._ledger.outstanding
            return done or signals > 1 or time.monotonic() >= until
        return self._fed and not self._ledger.outstanding

    @property
    def _fed(self) -> bool:
        """Whether nothing more is taken from the source."""
        stopped = self._drain_until is not None or self._source_error is not None
        return stopped or self._source.exhausted


def result_of(answered: Answered, path: str | None) -> Result:
    """Return what came for an image as its result."""
    output = None if answered.output is None else answered.output.value()
    return replace(answered.result, path=path, output=output)
