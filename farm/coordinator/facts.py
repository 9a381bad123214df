"""What the parts of a farm know, as a snapshot."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections import Counter, deque
from contextlib import suppress
from typing import Final

from msgspec.structs import asdict

from farm.coordinator.sink import Sink
from farm.coordinator.slots import WorkerSlot
from farm.coordinator.supervisor import Supervisor
from farm.scheduler.dispatcher import Dispatcher
from farm.scheduler.events import Deliver
from farm.scheduler.placement import FarmPlan
from farm.system.encodings import utf8
from farm.watch.board import BoardReader
from farm.watch.counts import Counts
from farm.watch.snapshot import Board, FarmFacts, Identity, Snapshot, WorkerFacts
from workers.runtimes.base import ONNX
from workers.runtimes.npu_timeline import Busy, look

LONGEST_COMMAND: Final = 500  # characters; a shell makes many words of one
NO_NPU: Final = "CPUs run the model"


class Facts:
    """Counts what a farm does, and makes snapshots of that and of what its parts know."""

    def __init__(
        self, plan: FarmPlan, supervisor: Supervisor, dispatcher: Dispatcher, sink: Sink
    ) -> None:
        self._supervisor, self._dispatcher, self._sink = supervisor, dispatcher, sink
        self._first = plan.workers[0]
        self._identity = _identity(plan)
        self._counts = Counts(time.monotonic())
        self._board = BoardReader()
        self._npu_marks: deque[Busy] = deque(maxlen=2)
        self.losses: Counter[int] = Counter()  # by worker: how often one that was up was lost

    @property
    def strays(self) -> int:
        """How many messages were dropped: invalid, or waited for by nobody."""
        return self._sink.invalid + self._supervisor.strays + self._dispatcher.stray_answers

    def count(self, ended: Deliver) -> None:
        """Count what has ended now."""
        self._counts.add(ended, time.monotonic())

    def mark(self) -> None:
        """Note how far the farm is; about once a second."""
        now = time.monotonic()
        self._counts.mark(now)
        self._board.mark(now)
        with suppress(OSError):  # the farm's folder is gone, or is another user's by now
            if (npu := self._first.simulated) is not None:
                self._npu_marks.append(look(npu.timelines, npu.npu_cores))

    def snapshot(self) -> Snapshot:
        """Return what is to be seen now."""
        now, supervisor = time.monotonic(), self._supervisor
        board = self._board.read(now)
        load, no_load = self._npu_load(board)
        held = self._dispatcher.held
        in_flight = {worker: sum(map(len, batches)) for worker, batches in held.items()}
        ready = next((slot.ready for slot in supervisor.slots if slot.ready is not None), None)
        farm = FarmFacts(
            **asdict(self._identity),
            reading="" if ready is None else utf8(ready.reading),
            rate=self._counts.rate(now),
            ok=self._counts.ok,
            failures=dict(self._counts.totals.failures),
            waiting=len(self._dispatcher.waiting),
            in_flight=sum(in_flight.values()),
            losses=self.losses.total(),
            restarts=sum(max(0, slot.generation - 1) for slot in supervisor.slots),
            strays=self.strays,
            stages=self._counts.stages(),
            workers=tuple(
                self._worker(slot, in_flight.get(slot.spec.index, 0)) for slot in supervisor.slots
            ),
            npu_load=load,
            no_npu_load=no_load,
            warnings=tuple(supervisor.notices.last),
        )
        return Snapshot(at=time.time(), farm=farm, board=board)

    def _worker(self, slot: WorkerSlot, in_flight: int) -> WorkerFacts:
        index, process = slot.spec.index, slot.process
        return WorkerFacts(
            index=index,
            pid=None if process is None else process.pid,
            state=slot.state.value,
            npu_core=None if slot.spec.runtime == ONNX else slot.spec.npu_core,
            cpus=slot.spec.cpus,
            images=self._counts.totals.images[index],
            in_flight=in_flight,
            memory_mb=0.0 if process is None else process.memory_mb(),
            losses=self.losses[index],
            ms=self._counts.worker_ms(index),
        )

    def _npu_load(self, board: Board) -> tuple[tuple[float, ...] | None, str | None]:
        """Return the load by NPU core, or why there is none."""
        npu = self._first.simulated
        if npu is None:
            on_cpus = self._first.runtime == ONNX
            return (None, NO_NPU) if on_cpus else (board.npu_load, board.no_npu_load)
        try:
            seen = look(npu.timelines, npu.npu_cores)
        except OSError as error:
            return None, f"the simulated NPU's time lines can't be read: {error}"
        return seen.load_since(self._npu_marks[0] if self._npu_marks else seen), None


def _identity(plan: FarmPlan) -> Identity:
    first = plan.workers[0]
    program, *words = sys.argv or [""]  # empty where Python is part of another program
    command = shlex.join([os.path.basename(program), *words])
    return Identity(
        model=utf8(first.model) if first.model else None,
        task=first.task,
        platform=plan.platform.name,
        runtime=plan.runtime,
        simulated=plan.simulated,
        pid=os.getpid(),
        command=utf8(command[:LONGEST_COMMAND]),
        started=time.time(),
    )
