"""One submitter's items on a farm: they go in as there is room, results come out, it ends."""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from types import TracebackType
from typing import Final

from farm.api.running_farm import RunningFarm
from farm.results.ordering import ArrivalOrder, InputOrder
from farm.results.result import Result, from_delivery
from farm.scheduler.events import Job
from farm.sources.base import Source
from farm.system.deferred_handlers import HANDLERS, Paused
from farm.system.ownership import Single
from workers.protocol.messages import Item

# An ordered run reads at most this many rounds of full windows past an item that is late.
ORDERED_ROUNDS: Final = 8
SLOW_SECONDS: Final = 0.001  # while a source takes longer over an item, results may come
AT_ONCE: Final = 0.0  # on a clock that is always past it


class Run(Single):
    """The results of one source's items: an iterator that reads the source as results are taken.

    A farm can have several runs at once; they take turns, a batch each. Ids count from
    `first_id`, in the order of the source. With `ordered`, results come in that order, else as
    they arrive. With `eager`, all that the source has is submitted at once. An error of the source
    is raised once all items before it have their results. Iterating raises NoWorkersError or
    BadCoreError as Coordinator.poll does, and FarmError once the farm is no longer up. A run that
    is closed or garbage-collected before its end is forgotten, with all its items.
    """

    ended = True  # until it is open: __del__ may come before

    def __init__(
        self,
        farm: RunningFarm,
        source: Source,
        *,
        ordered: bool = False,
        first_id: int = 0,
        eager: bool = False,
    ) -> None:
        self._farm, self._source, self._eager = farm, source, eager
        self._number = farm.coordinator.open_run()
        self._order = InputOrder(first_id) if ordered else ArrivalOrder()
        self._first_id = self._next_id = first_id
        self._ready: deque[Result] = deque()
        self._drain_until: float | None = None
        self._source_error: Exception | None = None
        self._slow = False  # whether the source took long over its last item
        self.ended = False

    @property
    def submitted(self) -> int:
        """How many items have been taken from the source."""
        return self._next_id - self._first_id

    def __iter__(self) -> Run:
        return self

    def __next__(self) -> Result:
        self._farm.coordinator.check_owned()
        while True:
            try:  # another thread may take what was seen to be there
                return self._ready.popleft()
            except IndexError:
                if self.ended:
                    raise StopIteration from None
            self._advance(None)

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        # The garbage collector may come at any moment, and in any thread.
        if not self.ended:
            self._farm.coordinator.abandon_run(self._number)

    def feed(self) -> tuple[int, ...] | None:
        """Submit as many items as is worth it; return the descriptors to wait on for more.

        A source that blocks is asked for one item at a time, each submitted before the next is
        asked for. None means: ask it again, but look first whether results have come meanwhile.
        """
        with self._farm.entered():
            return self._feed()

    def _feed(self) -> tuple[int, ...] | None:
        coordinator, config, blocks = self._farm.coordinator, self._farm.config, self._source.blocks
        limit = ORDERED_ROUNDS * len(self._farm.plan.workers) * config.batch * config.window
        # A batch at a time: the room left depends on how big the items turn out to be.
        while not (self._fed or self.ended):
            most = config.batch
            if not self._eager:
                room = coordinator.room(self._number)
                most = min(most, room, limit - self._order.behind(self._next_id))
            if most <= 0:
                return ()
            asked = time.monotonic()
            try:
                refs = self._source.take(1 if blocks else most)
            except Exception as error:
                if error is HANDLERS.raised:  # of a signal's handler: the source can go on
                    raise
                self._source_error = error  # raised by `poll` once all items before it have ended
                return ()
            if not refs:  # a source that is behind ends the poll when it has more
                return self._source.fds
            now = time.monotonic()
            items = (Item(number, ref) for number, ref in enumerate(refs, start=self._next_id))
            jobs = tuple(Job(item, now, self._number) for item in items)
            self._next_id += len(jobs)
            coordinator.submit(jobs)  # which drops them if the source has closed this run
            self._slow = blocks and now - asked > SLOW_SECONDS
            if self._slow:
                return None
        return ()

    def poll(self, until: float | None = None) -> list[Result]:
        """Feed the farm, wait until something happens in it, return the results that are ready.

        Waits no longer than `until` (CLOCK_MONOTONIC seconds), but for the source. An empty list
        is not the end: see `ended`. A first signal makes the run drain, a second one ends it.
        """
        self._farm.coordinator.check_owned()
        if not (self._ready or self.ended):
            self._advance(until)
        ready: list[Result] = []
        with suppress(IndexError):
            while True:
                ready.append(self._ready.popleft())
        return ready

    def drain(self) -> None:
        """Submit nothing more, and forget what waits; what workers hold is still delivered.

        The run ends with that, or once the config's `drain_seconds` have passed.
        """
        with self._farm.entered():
            if self._drain_until is None and not self.ended:
                self._drain_until = time.monotonic() + self._farm.config.drain_seconds
                self._farm.coordinator.drop_waiting(self._number)

    def withdraw(self, ids: frozenset[int]) -> None:
        """Forget items that no worker holds yet; others of these get their results."""
        with self._farm.entered():
            self._farm.coordinator.withdraw(self._number, ids)

    def close(self) -> None:
        """End the run now and forget its items; what workers hold of it is dropped."""
        if not (self.ended or self._farm.coordinator.disowned or self._farm.one_thread.broken):
            with self._farm.entered():
                self.ended = True
                self._ready.clear()
                self._farm.coordinator.close_run(self._number)

    def _advance(self, until: float | None) -> None:
        """Feed the farm and poll it; what is ready is in `_ready`, whatever a handler raises."""
        farm = self._farm
        with farm.entered():
            farm.check_up()
            signals = farm.signals_seen()
            if signals:
                self.drain()
            if self._slow and self._look((), AT_ONCE):
                return  # before a call that may take long, too
            waiting = self._feed()
            if self._keep_ended():
                return
            if self._is_over(signals):
                if self._source_error is not None:
                    with Paused():  # as it is the program's
                        self.close()
                        raise self._source_error
                self.close()
                self._ready.extend(self._order.rest())  # what waited for results that won't come
                return
            limits = [at for at in (until, self._drain_until) if at is not None]
            soonest = AT_ONCE if waiting is None else min(limits, default=None)
            self._look(waiting or (), soonest)

    def _look(self, waiting: tuple[int, ...], until: float | None) -> bool:
        """Poll the coordinator; return whether anything of this run has ended."""
        self._farm.coordinator.poll([*waiting, *self._farm.fds], until)
        return self._keep_ended()

    def _keep_ended(self) -> bool:
        """Keep the results whose turn has come; return whether anything of this run has ended."""
        ended = self._farm.coordinator.take(self._number)
        now, simulated, labels = time.monotonic(), self._farm.plan.simulated, self._farm.labels
        names = None if simulated or labels is None else labels.names
        for each in ended:
            result = from_delivery(each, names, simulated=simulated, now=now)
            self._ready.extend(self._order.put(result))
        return bool(ended)

    def _is_over(self, signals: int) -> bool:
        until = self._drain_until
        if until is not None and (signals > 1 or time.monotonic() >= until):
            return True
        return self._fed and not self._farm.coordinator.outstanding(self._number)

    @property
    def _fed(self) -> bool:
        """Whether nothing more is taken from the source."""
        stopped = self._drain_until is not None or self._source_error is not None
        return stopped or self._source.exhausted
