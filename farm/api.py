"""The Python API: a farm as a context manager, results as an iterator."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TypeAlias

from farm.config import labels as label_files
from farm.config import loader as configfile
from farm.config.schema import FarmConfig
from farm.coordinator.coordinator import Coordinator
from farm.coordinator.notices import Tell
from farm.coordinator.startup import prepare
from farm.errors import ConfigError, FarmError, InterruptedStartError
from farm.hardware import sensors
from farm.results.ordering import ArrivalOrder, InputOrder, Order
from farm.results.result import Result, from_delivery
from farm.scheduler.events import Deliver, Task
from farm.scheduler.placement import FarmPlan
from farm.sources.base import Item, IterableSource, Ref, Source
from farm.system.signals import Signals
from workers.protocol.messages import Item as WireItem
from workers.runtimes.npu_timeline import Busy, look

Results: TypeAlias = Generator[Result, None, None]

# An ordered run reads at most this many rounds of full windows past an item that is late.
ORDERED_ROUNDS: Final = 8


class Farm:
    """A farm of workers, up while the `with` block runs.

        with Farm.from_config("configs/host.yaml") as farm:
            for result in farm.classify(["a.jpg", "b.jpg"]):
                print(result.path, result.top5)

    `tell` hears what a user should know (a worker died, CPUs are missing), a line each; by
    default it goes to the logger `farm`. With `signals`, a first signal makes `run` finish
    what is in the workers' hands, a second one makes it return at once. Ids count from `first_id`.
    """

    def __init__(
        self,
        config: FarmConfig,
        *,
        tell: Tell | None = None,
        signals: Signals | None = None,
        first_id: int = 0,
    ) -> None:
        self.config = config
        self._tell = tell or logging.getLogger("farm").warning
        self._signals = signals
        self._plan: FarmPlan | None = None
        self._coordinator: Coordinator | None = None
        self._labels: tuple[str, ...] | None = None
        self._first_id = self._next_id = first_id
        self._running = False
        self._npu_seen: Busy | None = None
        self.start_seconds = 0.0  # from the begin of the `with` block until all workers were up

    @classmethod
    def from_config(cls, path: str | Path, overrides: Mapping[str, Any] | None = None) -> Farm:
        """Make a farm of a config file; raises ConfigError. See farm.config.loader.load."""
        return cls(configfile.load(Path(path), overrides or {}))

    @property
    def plan(self) -> FarmPlan:
        """Who runs where; raises FarmError outside the `with` block."""
        if self._plan is None:
            raise FarmError("the farm is not started: use it in a `with` block")
        return self._plan

    @property
    def submitted(self) -> int:
        """How many items have been taken in since the farm was made."""
        return self._next_id - self._first_id

    @property
    def losses(self) -> int:
        """How many times a worker that was up has been lost."""
        return self._up().losses

    @property
    def strays(self) -> int:
        """How many messages were dropped: not to be understood, or waited for by nobody."""
        return self._up().strays

    @property
    def bad_cores(self) -> tuple[int, ...]:
        """The NPU cores that are left out: no worker could start on them, or stay."""
        return self._up().supervisor.bad_cores()

    def __enter__(self) -> Farm:
        if self._coordinator is not None:
            raise FarmError("this farm is up already: one `with` block at a time")
        if self.config.size == "auto":
            raise ConfigError(
                "size: auto: make the farm of farm.bench.auto_size.decided(config, print)"
            )
        begun = time.monotonic()
        if self.config.labels is not None:
            self._labels = label_files.read(self.config.labels)
        self._plan, self._coordinator = prepare(self.config, self._tell)
        try:
            self._start()
        except BaseException:
            self._close(drain_seconds=0)
            raise
        self.start_seconds = time.monotonic() - begun
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Nobody waits for what a signal or an error has left in the workers' hands.
        hurry = self._up().busy and (error is not None or self._signal_count() > 0)
        self._close(drain_seconds=0 if hurry else self.config.drain_seconds)

    def classify(self, items: Iterable[Item], *, ordered: bool = False) -> Results:
        """Classify items: paths, encoded bytes, or height x width x 3 uint8 arrays in BGR order.

        `items` is read as results are taken, a few batches ahead. Results come as they arrive,
        or in the order of `items` if `ordered`; each item gives exactly one, an item that is no
        image one with an `error`. Raises SourceError for an item of no known kind, and
        NoWorkersError if all workers are lost for good. One run at a time.
        """
        return self.run(IterableSource.from_items(items), ordered=ordered)

    def run(self, source: Source, *, ordered: bool = False) -> Results:
        """Classify what `source` gives; as `classify`."""
        if self._running:
            raise FarmError("this farm has a run under way: finish it, or close its iterator")
        self._running = True
        order = InputOrder(self._next_id) if ordered else ArrivalOrder()
        try:
            yield from self._results(source, order)
            yield from order.rest()
        finally:
            self._running = False
            if self._coordinator is not None:
                self._coordinator.drop(held=True)

    def npu_busy_seconds(self) -> tuple[float, ...] | None:
        """How long each simulated NPU core has worked up to now; None for a real runtime."""
        seen = self._look_at_npu()
        return seen.seconds if seen is not None else None

    def npu_load(self) -> tuple[float, ...]:
        """The share (0 to 1) of time in which each NPU core worked.

        Of a simulated NPU, since this was last asked or the farm was up. Of a real one, in the
        last full second, as its kernel tells; see farm.hardware.sensors.load_text. Raises
        SensorError where it does not.
        """
        before, self._npu_seen = self._npu_seen, self._look_at_npu()
        if before is None or self._npu_seen is None:
            return sensors.npu_load()
        return self._npu_seen.load_since(before)

    def _results(self, source: Source, order: Order) -> Iterator[Result]:
        while not self._signal_count():
            waiting = self._feed(source, order)
            if source.exhausted and not self._up().outstanding:
                return
            for ended in self._up().poll([*waiting, *self._signal_fds()]):
                yield from order.put(self._result(ended))
        for ended in self._drain():
            yield from order.put(self._result(ended))

    def _close(self, *, drain_seconds: float) -> None:
        coordinator, self._coordinator, self._plan = self._up(), None, None
        coordinator.close(drain_seconds=drain_seconds)

    def _up(self) -> Coordinator:
        if self._coordinator is None:
            raise FarmError("the farm is not started: use it in a `with` block")
        return self._coordinator

    def _start(self) -> None:
        coordinator = self._up()
        coordinator.launch()
        while coordinator.supervisor.starting:
            if self._signal_count():
                raise InterruptedStartError("the workers were still starting")
            coordinator.poll(self._signal_fds())
        coordinator.check_started()
        self._npu_seen = self._look_at_npu()
        if self._labels is not None and not self.plan.simulated:
            classes = {m.ready.classes for m in coordinator.supervisor.slots if m.ready}
            label_files.check(self._labels, classes.pop(), self.config.labels)

    def _look_at_npu(self) -> Busy | None:
        npu = self.plan.workers[0].simulated
        return look(npu.timelines, npu.npu_cores) if npu is not None else None

    def _feed(self, source: Source, order: Order) -> tuple[int, ...]:
        """Submit as many items as it is worth; gives what to wait on for more."""
        size, config = len(self.plan.workers), self.config
        limit = ORDERED_ROUNDS * size * config.batch * config.window
        # A batch at a time: the room left depends on how big the items turn out to be.
        while not source.exhausted:
            wanted = min(self._up().room, limit - order.behind(self._next_id), config.batch)
            if wanted <= 0:
                return ()
            refs = source.take(wanted)
            self._submit(refs)
            if len(refs) < wanted:  # a source that is behind ends the poll when it has more
                return source.fds
        return ()

    def _submit(self, refs: list[Ref]) -> None:
        now = time.monotonic()
        items = [WireItem(number, ref) for number, ref in enumerate(refs, start=self._next_id)]
        self._next_id += len(items)
        self._up().submit(tuple(Task(item, now) for item in items))

    def _drain(self) -> Iterator[Deliver]:
        """Give what is in the workers' hands, within the time for it, or until a second signal."""
        coordinator = self._up()
        coordinator.drop(held=False)
        until = time.monotonic() + self.config.drain_seconds
        while coordinator.outstanding and self._signal_count() < 2 and time.monotonic() < until:
            yield from coordinator.poll(self._signal_fds(), until)

    def _signal_count(self) -> int:
        return self._signals.seen() if self._signals is not None else 0

    def _signal_fds(self) -> tuple[int, ...]:
        return (self._signals.fd,) if self._signals is not None else ()

    def _result(self, ended: Deliver) -> Result:
        labels = None if self.plan.simulated else self._labels
        return from_delivery(ended, labels, simulated=self.plan.simulated, now=time.monotonic())
