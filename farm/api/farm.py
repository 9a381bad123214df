"""A farm of workers: up while its `with` block runs, with runs over images in it."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from farm.api.observed import Observed
from farm.api.opening import prepare_farm, start
from farm.api.room import Bound
from farm.api.run import Run
from farm.api.running_farm import RunningFarm
from farm.api.submitter import Submitter
from farm.config import loader as configfile
from farm.config.bundled import find_config
from farm.config.schema import FarmConfig
from farm.errors import FarmError
from farm.results.result import Result
from farm.sources.base import Item, IterableSource, Source
from farm.system.deferred_handlers import Deferred
from farm.system.log import LOG
from farm.system.one_thread import OneThread
from farm.system.progress import Starting, nobody_told
from farm.system.signals import Signals

LEAVE_SECONDS: Final = 10.0  # for another thread to come out of its source's `next`


class Farm(Observed):
    """A farm of workers, up while the `with` block runs.

        with Farm.from_config("host") as farm:
            for result in farm.classify(["a.jpg", "b.jpg"]):
                print(result.path, result.top5)

    `log` gets what a user should know (a worker died, CPUs are missing) as records with the fields
    `event`, `worker` and `npu_core`; by default it is the logger `farm`. With `signals`, a first
    signal makes runs finish what the workers hold, a second one ends them at once. `size: auto` is
    decided when the farm goes up; `config` then has the number. `starting` is told how many workers
    are up while they start; see farm.system.progress.

    One thread at a time uses a farm and its runs: while it is in a call, a call of another one is a
    FarmError. Leaving the block waits for another thread, whose run then raises FarmError.

    A farm belongs to the process that opened it. In a child that this process forks, each use is a
    FarmError, and the parent's farm goes on; a child may open a farm of its own.
    """

    def __init__(
        self,
        config: FarmConfig,
        *,
        log: logging.Logger = LOG,
        signals: Signals | None = None,
        starting: Starting = nobody_told,
        bound: Bound = Bound(),  # noqa: B008 - frozen
    ) -> None:
        self.config, self._bound = config, bound
        self._log = log
        self._signals, self._starting = signals, starting
        super().__init__()
        self._one_thread = OneThread()
        self._opening = threading.Lock()  # of the submitter, by whichever thread is the first
        self.start_seconds = 0.0  # from the begin of the `with` block until all workers were up

    @classmethod
    def from_config(cls, config: str | Path, overrides: Mapping[str, Any] | None = None) -> Farm:
        """Make a farm of a config's file, or of a bundled config by its name ("rk3588").

        Raises ConfigError. See farm.config.loader.load.
        """
        return cls(configfile.load(find_config(config), overrides or {}))

    def __enter__(self) -> Farm:
        self._check_down()
        begun = time.monotonic()
        if self.config.size == "auto":
            from farm.api import auto_size  # with the statistics of a measurement

            self.config = auto_size.decide(self.config, Farm, self._log, self._signals)
        ours = False  # not what another thread has opened meanwhile
        try:
            with self._one_thread.entered():
                self._check_down()
                ours = True
                self._open()
        except BaseException:
            if ours:
                with self._one_thread.entered():
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
        if error is not None and self._running is not None and self._running.coordinator.disowned:
            return  # a forked child leaves the block, and the error says why
        finished = False
        try:
            if error is None and self._submitter is not None:
                self._submitter.finish()
            finished = error is None
        finally:
            with Deferred():
                running = self._up()
                running.leaving.give()  # another thread that is in a run gets out, by a FarmError
                with self._one_thread.entered(LEAVE_SECONDS):
                    # Nobody waits for what a signal or an error has left with the workers.
                    broken = self._one_thread.broken != ""
                    unwanted = broken or not finished or running.signals_seen() > 0
                    hurry = running.coordinator.holding and unwanted
                    self._close(drain_seconds=0 if hurry else self.config.drain_seconds)

    def classify(self, items: Iterable[Item], *, ordered: bool = False) -> Run:
        """Run the model and its task on items: paths, encoded bytes, height x width x 3 uint8 BGR.

        `items` is read as results are taken, a few batches ahead; an iterator one item at a time,
        and while its `next` blocks, so does the run. Results come as they arrive, or in the order
        of `items` if `ordered`; each item gets exactly one, an item that is no image one with an
        `error`. Raises SourceError for an item of an unknown type, once all before it have their
        results, and NoWorkersError if all workers are lost for good.
        """
        return self.run(IterableSource.from_items(items), ordered=ordered)

    def run(self, source: Source, *, ordered: bool = False, first_id: int = 0) -> Run:
        """Run the model on what `source` returns, as `classify` does; ids count from `first_id`."""
        running = self._up()
        if self._submitter is not None:
            raise FarmError(
                "a thread of this farm's own drives it since its first `submit`: submit all items, "
                "or open another farm"
            )
        with running.entered():
            return Run(running, source, ordered=ordered, first_id=first_id)

    def drive(self) -> Future[None]:
        """Let a thread of the farm's own drive it from now on, as the first `submit` does.

        The future ends with the error once the farm can't go on, or at the end of the block.
        """
        return self._driven(self._up()).lost

    def submit(self, item: Item, *, timeout: float | None = None) -> Future[Result]:
        """Run the model on one item, as `classify` does; return its result's future. Any thread.

        `bound` limits what is outstanding: this waits up to `timeout` seconds for room (None: for
        ever), then raises BusyError; it does not wait in a callback of one of these futures, which
        the farm itself calls and waits for. A future that is cancelled is not computed any more,
        unless a worker holds it. Once the farm can't go on, all futures, and this, raise why.
        Leaving the block waits for all that was submitted, unless an error leaves it.
        """
        return self._driven(self._up()).submit(item, timeout)

    def submit_soon(self, item: Item) -> asyncio.Future[Result]:
        """Submit an item as `submit` does, for asyncio; raises BusyError where there is no room.

        Items that are submitted in one turn of the loop go to workers together. The future is the
        loop's; cancelling it cancels the item.
        """
        return self._driven(self._up()).submit_soon(item)

    async def asubmit(self, item: Item, *, timeout: float | None = None) -> Result:
        """Submit an item as `submit` does, and return its result, for asyncio.

        Cancelling this cancels the item.
        """
        return await self._driven(self._up()).asubmit(item, timeout)

    def _driven(self, running: RunningFarm) -> Submitter:
        with self._opening:
            if self._submitter is None:
                self._submitter = Submitter(running, self._bound)
            return self._submitter

    def _check_down(self) -> None:
        if self._running is not None:
            self._running.coordinator.check_owned()
            raise FarmError("this farm is up already: one `with` block at a time")

    def _open(self) -> None:
        self._one_thread.broken = ""
        self._running = prepare_farm(self.config, self._log, self._signals, self._one_thread)
        start(self._running, self._starting)
        self._npu_seen = self._look_at_npu()

    def _close(self, *, drain_seconds: float) -> None:
        running, self._running = self._running, None
        submitter, self._submitter = self._submitter, None
        if running is not None:
            running.leaving.give()
            running.close(drain_seconds=drain_seconds)
        if submitter is not None:
            submitter.join(LEAVE_SECONDS)
