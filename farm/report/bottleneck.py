"""What limited a benchmark, how full it was, and what to change: a decision, as data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from farm.report.data import Measured, Report
from farm.report.size_choice import enough
from farm.report.utilization import COMPUTED, Shares, shares
from workers.protocol.spec import FAST

# So busy, a thing is the limit: at the end of a round and between two images it rests a little.
FULL: Final = 0.9
LARGER: Final = "larger"
SMALLER: Final = "smaller"
FASTER: Final = "faster"


class Kind(Enum):
    """What limits a farm."""

    NPU = "npu"
    NPU_OR_RUNTIMES = "npu or runtimes"  # computed, and no larger size was measured
    TASK = "task"  # its thread in each worker is always busy
    DECODING = "decoding"  # fills the CPUs, beside an NPU
    CPUS = "cpus"  # they run the model
    OVERHEAD = "overhead"  # fills the CPUs: more than half of their time is not for images
    COORDINATOR = "coordinator"  # fills one CPU
    IDLE_CORES = "idle cores"  # NPU cores without a runtime
    DECODERS = "decoders"  # each worker's decoder threads, while CPUs rest
    IDLE_CPUS = "idle cpus"  # CPUs without a runtime, where they run the model
    RUNTIMES = "runtimes"  # do nothing but wait for their inferences, while NPU cores rest
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One way to a higher rate: a key of the config and its value.

    A `batch`, a `model`, a `task` or `photos` (which is no key) have no known value: it is LARGER,
    SMALLER or FASTER.
    """

    key: str
    value: int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bottleneck:
    """What limits the smallest size that is enough, of `runtimes` runtimes.

    `share` (0 to 1) is how busy it was: of a kind that names what is idle, how busy the others
    were; of NOTHING, what was busiest. `advice` are ways to choose from, the best first; none if
    more runtimes would only cost memory. `shares` is how busy everything was, `service_ms` how long
    an inference takes an NPU core, None where that is not known.
    """

    runtimes: int
    kind: Kind
    share: float
    advice: tuple[Advice, ...]
    shares: Shares
    service_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One size to judge, on `cores` NPU cores that are there to fill; none on a CPU.

    `larger` says that more runtimes were measured, too, and were no better.
    """

    size: Measured
    shares: Shares
    cores: int
    larger: bool

    @property
    def idle_cores(self) -> int:
        """NPU cores without a runtime; those left out are no choice."""
        return max(0, self.cores - len({*self.size.npu_cores, *self.size.left_out}))

    @property
    def idle_cpus(self) -> int:
        """CPUs that no runtime needs, where CPUs run the model."""
        return 0 if self.cores else max(0, len(self.size.cpus) - self.size.runtimes)

    @property
    def mostly_overhead(self) -> bool:
        """Whether decoding and a CPU's inference can't be half of the CPU time: they last less."""
        with_images = self.size.means["decode"] + (0.0 if self.cores else self.size.means["infer"])
        return with_images * 2 < self.size.cpu_ms.median

    @property
    def next_size(self) -> int:
        """The next larger size to try: a runtime more for each NPU core, or one."""
        return self.size.runtimes + max(1, self.cores)


def find_bottleneck(report: Report) -> Bottleneck | None:
    """Return what limited the smallest size that is enough; None if nothing was classified."""
    size = enough(report.sizes)
    if size.average_ms.median <= 0:
        return None
    service_ms = size.service_ms or next((s.service_ms for s in report.sizes if s.service_ms), None)
    case = Case(
        size=size,
        shares=shares(size, simulated=report.simulated, service_ms=service_ms),
        cores=report.npu_cores,
        larger=any(
            other.runtimes > size.runtimes and other.average_ms.median > 0 for other in report.sizes
        ),
    )
    kind, share, advice = _full_tasks(case) or _full(case) or _below_full(case)
    return Bottleneck(
        runtimes=size.runtimes,
        kind=kind,
        share=share,
        advice=advice,
        shares=case.shares,
        service_ms=service_ms,
    )


def _full_tasks(case: Case) -> tuple[Kind, float, tuple[Advice, ...]] | None:
    """Return the tasks if they are the limit, also where the CPUs are full: they fill them."""
    found = case.shares
    if found.tasks < FULL or (found.npu or 0.0) >= FULL:
        return None
    more = () if found.cpus >= FULL else (Advice(key="size", value=case.next_size),)
    return Kind.TASK, found.tasks, (Advice(key="task", value=FASTER), *more)


def _full(case: Case) -> tuple[Kind, float, tuple[Advice, ...]] | None:
    """Return the fullest of NPU, CPUs and coordinator, if it is at its limit."""
    found = case.shares
    # A core without a runtime means that the others' being full is no limit of the NPU.
    npu = 0.0 if found.npu is None or case.idle_cores else found.npu
    fullest = max(npu, found.cpus, found.coordinator)
    if fullest < FULL:
        return None
    if npu == fullest:
        if found.npu_source == COMPUTED and not case.larger:
            # The call is more than the NPU's part of it.
            return Kind.NPU_OR_RUNTIMES, npu, (Advice(key="size", value=case.next_size),)
        return Kind.NPU, npu, ()
    if found.cpus < fullest:
        return Kind.COORDINATOR, found.coordinator, (Advice(key="batch", value=LARGER),)
    if case.mostly_overhead:
        return Kind.OVERHEAD, found.cpus, (Advice(key="batch", value=LARGER),)
    return Kind.DECODING if case.cores else Kind.CPUS, found.cpus, _for_full_cpus(case)


def _for_full_cpus(case: Case) -> tuple[Advice, ...]:
    size, advice = case.size, []
    if set(size.coordinator_cpus) - set(size.cpus):
        advice.append(Advice(key="decoder_cpu" if case.cores else "cpu", value="all"))
    if case.cores and size.decode != FAST:
        advice.append(Advice(key="decode", value=FAST))
    # Not by how long decoding lasts: where the CPUs are full, it mostly waits for the inferences.
    model = not case.cores and size.means["infer"] * 2 >= size.cpu_ms.median
    return (*advice, Advice(key="model" if model else "photos", value=SMALLER))


def _below_full(case: Case) -> tuple[Kind, float, tuple[Advice, ...]]:
    """Return what holds a farm back in which nothing that all share is at its limit."""
    size, found = case.size, case.shares
    decoders = Advice(key="decoders", value=size.decoders + 1)
    more = Advice(key="size", value=case.next_size)
    if case.idle_cores and not case.larger:
        return Kind.IDLE_CORES, found.runtimes, (Advice(key="size", value=case.cores),)
    if found.decoders >= FULL:
        return Kind.DECODERS, found.decoders, (decoders,)
    if case.idle_cpus and not case.larger:
        return Kind.IDLE_CPUS, found.cpus, (Advice(key="size", value=len(size.cpus)),)
    if case.cores and found.runtimes >= FULL and not case.larger:
        return Kind.RUNTIMES, found.runtimes, (more,)
    busiest = max(found.npu or 0.0, found.cpus, found.coordinator)
    return Kind.NOTHING, busiest, (decoders,) if case.larger else (more, decoders)
