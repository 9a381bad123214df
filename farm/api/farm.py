"""A farm of workers: up while its `with` block runs, with runs over images in it."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from farm.api.run import Run
from farm.api.running_farm import RunningFarm
from farm.config import loader as configfile
from farm.config.bundled import find_config
from farm.config.schema import FarmConfig
from farm.coordinator.startup import prepare
from farm.errors import FarmError, InterruptedStartError
from farm.hardware import sensors
from farm.scheduler.placement import FarmPlan
from farm.sources.base import Item, IterableSource, Source
from farm.system.deferred_handlers import Deferred
from farm.system.log import LOG
from farm.system.one_thread import Notice, OneThread
from farm.system.ownership import Single
from farm.system.progress import Starting, nobody_told
from farm.system.signals import Signals
from workers.runtimes.npu_timeline import Busy, look

LEAVE_SECONDS: Final = 10.0  # for another thread to come out of its source's `next`


class Farm(Single):
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
    ) -> None:
        self.config = config
        self._log = log
        self._signals, self._starting = signals, starting
        self._one_thread = OneThread()
        self._running: RunningFarm | None = None
        self._npu_seen: Busy | None = None
        self.start_seconds = 0.0  # from the begin of the `with` block until all workers were up

    @classmethod
    def from_config(cls, config: str | Path, overrides: Mapping[str, Any] | None = None) -> Farm:
        """Make a farm of a config's file, or of a bundled config by its name ("rk3588").

        Raises ConfigError. See farm.config.loader.load.
        """
        return cls(configfile.load(find_config(config), overrides or {}))

    @property
    def plan(self) -> FarmPlan:
        """Who runs where; raises FarmError outside the `with` block."""
        return self._up().plan

    @property
    def model_sha256(self) -> str:
        """The SHA-256 of the model that all workers have opened; a simulated NPU has none."""
        slots = self._up().coordinator.supervisor.slots
        return next(slot.ready.model for slot in slots if slot.ready is not None)

    @property
    def reading(self) -> str:
        """How the task reads the model's outputs: a detector's family, scores as they are or not.

        Of a task of the user's, it is its module, with what tells that from another version.
        """
        slots = self._up().coordinator.supervisor.slots
        return next(slot.ready.reading for slot in slots if slot.ready is not None)

    @property
    def losses(self) -> int:
        """How many times a worker that was up has been lost."""
        return self._up().coordinator.losses

    @property
    def strays(self) -> int:
        """How many messages were dropped: invalid, or waited for by nobody."""
        return self._up().coordinator.strays

    @property
    def bad_cores(self) -> tuple[int, ...]:
        """The NPU cores that are left out: no worker could start on them, or stay."""
        return self._up().coordinator.supervisor.slots.bad_cores

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
        with Deferred():
            running = self._up()
            running.leaving.give()  # another thread that is in a run gets out, by a FarmError
            with self._one_thread.entered(LEAVE_SECONDS):
                # Nobody waits for what a signal or an error has left with the workers.
                broken = self._one_thread.broken != ""
                unwanted = broken or error is not None or running.signals_seen() > 0
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
        with running.entered():
            return Run(running, source, ordered=ordered, first_id=first_id)

    def npu_busy_seconds(self) -> tuple[float, ...] | None:
        """Return how long each simulated NPU core has worked; None for a real runtime."""
        seen = self._look_at_npu()
        return seen.seconds if seen is not None else None

    def npu_load(self) -> tuple[float, ...]:
        """Return the share (0 to 1) of time in which each NPU core worked.

        Of a simulated NPU, since this was last asked or the farm was up. Of a real one, in the
        last full second, as its kernel tells; see farm.hardware.sensors.load_text. Raises
        SensorError where it does not.
        """
        before, self._npu_seen = self._npu_seen, self._look_at_npu()
        if before is None or self._npu_seen is None:
            return sensors.npu_load()
        return self._npu_seen.load_since(before)

    def _up(self) -> RunningFarm:
        if self._running is None:
            raise FarmError("the farm is not started: use it in a `with` block")
        self._running.coordinator.check_owned()
        return self._running

    def _check_down(self) -> None:
        if self._running is not None:
            self._running.coordinator.check_owned()
            raise FarmError("this farm is up already: one `with` block at a time")

    def _open(self) -> None:
        self._one_thread.broken = ""
        plan, coordinator, labels = prepare(self.config, self._log)
        self._running = running = RunningFarm(
            config=self.config,
            plan=plan,
            coordinator=coordinator,
            labels=labels,
            signals=self._signals,
            one_thread=self._one_thread,
            leaving=Notice(),
        )
        coordinator.launch()
        slots = coordinator.supervisor.slots
        with self._starting(len(plan.workers)) as tell:
            while slots.starting:
                if running.signals_seen():
                    raise InterruptedStartError("the workers were still starting")
                running.check_up()
                coordinator.poll(running.fds)
                tell(sum(slot.ready is not None for slot in slots))
        coordinator.check_started()
        self._npu_seen = self._look_at_npu()
        if labels is not None and not plan.simulated:
            classes = {slot.ready.classes for slot in coordinator.supervisor.slots if slot.ready}
            if known := classes.pop():
                labels.check(known)

    def _close(self, *, drain_seconds: float) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.leaving.give()
            running.close(drain_seconds=drain_seconds)

    def _look_at_npu(self) -> Busy | None:
        npu = self.plan.workers[0].simulated
        return look(npu.timelines, npu.npu_cores) if npu is not None else None
