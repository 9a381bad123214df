"""The table of workers as rows: one for each, or for those of an NPU core, or for all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from farm.hardware.platforms import cpu_list
from farm.scheduler.lifecycle import State
from farm.watch.history import History
from farm.watch.snapshot import WorkerFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One worker, or several as one: sums, and of `ms` by stage the mean."""

    name: str
    workers: int
    pid: str
    state: str
    up: bool  # all of them
    npu_core: str
    cpus: str
    images: int
    rate: float | None
    in_flight: int
    ms: dict[str, float]
    memory_mb: float
    losses: int

    @property
    def inferring(self) -> float:
        """The share (0 to 1) of time in which it has an inference under way, of one worker."""
        return min(1.0, (self.rate or 0.0) * self.ms.get("infer", 0.0) / 1000 / self.workers)


def rows(workers: Sequence[WorkerFacts], history: History, most: int | None) -> list[Row]:
    """Return the rows that show all workers, `most` at most (None: any number).

    A row is a worker; if these are too many, the workers of an NPU core; else all.
    """
    folds: tuple[Callable[[WorkerFacts], int], ...] = (
        lambda worker: worker.index,
        lambda worker: -1 if worker.npu_core is None else worker.npu_core,
        lambda _worker: 0,
    )
    found: list[Row] = []
    for fold in folds:
        ordered = sorted(workers, key=fold)
        found = [_row(list(each), history) for _key, each in groupby(ordered, key=fold)]
        if most is None or len(found) <= most:
            break
    return found


def _row(workers: list[WorkerFacts], history: History) -> Row:
    first, one = workers[0], len(workers) == 1
    states = Counter(worker.state for worker in workers)
    cores = sorted({worker.npu_core for worker in workers if worker.npu_core is not None})
    rates = [history.worker_rate(worker.index) for worker in workers]
    known = [rate for rate in rates if rate is not None]
    stages = dict.fromkeys(stage for worker in workers for stage in worker.ms)
    return Row(
        name=f"{first.index}" if one else f"{len(workers)} workers",
        workers=len(workers),
        pid=f"{first.pid}" if one and first.pid is not None else "-",
        state=", ".join(
            state if one else f"{number} {state}" for state, number in states.most_common()
        ),
        up=set(states) <= {State.UP.value},
        npu_core=cpu_list(tuple(cores)) or "-",
        cpus=cpu_list(tuple({cpu for worker in workers for cpu in worker.cpus})) or "-",
        images=sum(worker.images for worker in workers),
        rate=sum(known) if known else None,
        in_flight=sum(worker.in_flight for worker in workers),
        ms={stage: _mean([each.ms[stage] for each in workers if stage in each.ms])
            for stage in stages},
        memory_mb=sum(worker.memory_mb for worker in workers),
        losses=sum(worker.losses for worker in workers),
    )  # fmt: skip


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
