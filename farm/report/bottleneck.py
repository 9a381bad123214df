"""What a benchmark means, in words: what the limit was, how close it came, what to change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from farm.report.data import Measured, Report
from farm.report.format import counted
from farm.report.size_choice import enough, fastest
from farm.report.utilization import COMPUTED, KERNEL, SIMULATED, Shares, shares
from workers.protocol.spec import FAST

# So busy, a thing is the limit: at the end of a round and between two images it rests a little.
FULL: Final = 0.9
DISTURBED: Final = 0.1  # of the CPUs taken by other programs: the figures are of what was left


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One size to judge, on `cores` NPU cores that are there to fill; none on a CPU.

    `larger` says that more runtimes were measured, too, and were no better.
    """

    size: Measured
    shares: Shares
    cores: int
    service_ms: float | None
    larger: bool

    @property
    def idle_cores(self) -> int:
        """NPU cores that nobody has given a runtime; those left out are no choice."""
        return max(0, self.cores - len({*self.size.npu_cores, *self.size.left_out}))

    @property
    def idle_cpus(self) -> int:
        """CPUs that no runtime needs, where CPUs run the model."""
        return 0 if self.cores else max(0, len(self.size.cpus) - self.size.runtimes)

    @property
    def slow_inference(self) -> bool:
        """Whether the runtimes of an NPU do nothing but infer."""
        return self.cores > 0 and self.shares.runtimes >= FULL

    @property
    def mostly_overhead(self) -> bool:
        """Whether decoding and a CPU's inference can't be half of the CPU time: they last less."""
        with_images = self.size.means["decode"] + (0.0 if self.cores else self.size.means["infer"])
        return with_images * 2 < self.size.cpu_ms.median


def verdict(report: Report) -> tuple[str, ...]:
    """Say what the limit was of the smallest size that is as good as any; a sentence each.

    Empty if nothing was classified. What is simulated or computed is said to be.
    """
    sizes = [size for size in report.sizes if size.average_ms.median > 0]
    if not sizes:
        return ()
    size = enough(report.sizes)
    service_ms = size.service_ms or next((s.service_ms for s in sizes if s.service_ms), None)
    case = Case(
        size=size,
        shares=shares(size, simulated=report.simulated, service_ms=service_ms),
        cores=report.npu_cores,
        service_ms=service_ms,
        larger=any(other.runtimes > size.runtimes for other in sizes),
    )
    plateau = [_plateau(sizes, size)] if len(sizes) > 1 else []
    return (*plateau, _limit(case), *_disturbed(case.shares))


def _plateau(sizes: Sequence[Measured], size: Measured) -> str:
    best = fastest(sizes)
    mine = f"{counted(size.runtimes, 'runtime')}, at {size.average_ms.median:.2f} ms per image"
    if best is size:
        return f"the fastest of these sizes: {mine}"
    share = _percent(best.average_ms.median / size.average_ms.median)
    more = max(0.0, best.memory_mb - size.memory_mb)
    return (
        f"enough: {mine}, {share} of the best rate; "
        f"{best.runtimes} give {best.average_ms.median:.2f} ms for {more:.0f} MB more"
    )


def _limit(case: Case) -> str:
    found = case.shares
    # A core without a runtime means that the others' being full is no limit of the NPU.
    npu = found.npu if found.npu is not None and not case.idle_cores else 0.0
    full = {_on_the_npu: npu, _on_cpus: found.cpus, _on_the_coordinator: found.coordinator}
    words = max(full, key=lambda each: full[each])
    if full[words] >= FULL:
        return words(case)
    for holds, otherwise in _BELOW_FULL:
        if holds(case):
            return otherwise(case)
    return _nothing_full(case)


def _on_the_npu(case: Case) -> str:
    size, found = case.size, case.shares
    runtimes, done = counted(size.runtimes, "runtime"), _percent(found.npu or 0.0)
    s = "s" if size.runtimes == 1 else ""
    if found.npu_source == KERNEL:
        cores = counted(len(size.npu_cores), "NPU core")
        reached = f"{runtimes} keep{s} {cores} {done} busy, by the kernel's NPU load"
    else:
        kind = "simulated NPU core" if found.npu_source == SIMULATED else "NPU core"
        cores = counted(len(size.npu_cores), kind)
        reached = f"{runtimes} reach{'es' if s else ''} {done} of what {cores} can do"
        reached += f" at {case.service_ms or 0.0:g} ms" if found.npu_source == SIMULATED else ""
    if found.npu_source == COMPUTED:
        reached += f" at {case.service_ms or 0.0:.2f} ms (computed from the median inference)"
        if not case.larger:  # the call is more than the NPU's part of it
            more = size.runtimes + case.cores
            return f"NPU-bound, or too few runtimes: {reached}; to know, measure size {more}, too"
    return f"NPU-bound: {reached}; more runtimes only cost memory{_each(size)}"


def _on_cpus(case: Case) -> str:
    size = case.size
    elsewhere = set(size.coordinator_cpus) - set(size.cpus)
    more = ["decoder_cpu: all" if case.cores else "cpu: all"] if elsewhere else []
    if case.mostly_overhead:
        return f"CPU-bound: {_cpus(case)}, more than half of it not with images; raise batch"
    if case.cores:
        fast = [] if size.decode == FAST else ["decode: fast"]
        choice = _choice(*more, *fast, "smaller photos")
        return f"decode-bound: {_cpus(case)}{_npu(case)}; try {choice}"
    # Not by how long decoding lasts: where the CPUs are full, it mostly waits for the inferences.
    infer, cpu = size.means["infer"], size.cpu_ms.median
    choice = _choice(*more, "a smaller model" if infer * 2 >= cpu else "smaller photos")
    times = f"an image takes {cpu:.1f} ms of CPU time, its inference {infer:.1f} ms"
    return f"CPU-bound: {_cpus(case)}; {times}; try {choice}"


def _on_the_coordinator(case: Case) -> str:
    uses = f"it uses {_percent(case.shares.coordinator)} of one CPU"
    return f"coordinator-bound: {uses}{_npu(case)}; raise batch"


def _without_runtime(case: Case) -> str:
    idle, cores = case.idle_cores, case.cores
    has = "has" if idle == 1 else "have"
    return f"too few runtimes: {idle} of {cores} NPU cores {has} no runtime; use size {cores}"


def _few_for_the_cpus(case: Case) -> str:
    size, cpus = case.size, len(case.size.cpus)
    have = f"{counted(size.runtimes, 'runtime')} for {counted(cpus, 'CPU')}"
    return f"too few runtimes: {have}; {_cpus(case)}; use size {cpus}"


def _few_decoders(case: Case) -> str:
    size = case.size
    threads = counted(size.decoders, "decoder thread")
    are = "is" if size.decoders == 1 else "are"
    busy = f"each worker's {threads} {are} {_percent(case.shares.decoders)} busy"
    return (
        f"decode-bound: {busy}, the CPUs {_percent(case.shares.cpus)}{_npu(case)}; "
        f"try decoders: {size.decoders + 1}"
    )


def _few_runtimes(case: Case) -> str:
    share = _percent(case.shares.runtimes)
    one = case.size.runtimes == 1
    busy = f"it spends {share} of its time" if one else f"they spend {share} of their time"
    more = case.size.runtimes + case.cores
    return f"too few runtimes: {busy} in inference{_npu(case)}; try size {more}"


def _nothing_full(case: Case) -> str:
    size, found = case.size, case.shares
    larger = [] if case.larger else [f"size {size.runtimes + max(1, case.cores)}"]
    choice = _choice(*larger, f"decoders: {size.decoders + 1}")
    return (
        f"nothing is at its limit: {_cpus(case)}{_npu(case)}, "
        f"the coordinator {_percent(found.coordinator)} of one CPU; try {choice}"
    )


# What else it can be where nothing is full, the first that holds.
_BELOW_FULL: Final[tuple[tuple[Callable[[Case], bool], Callable[[Case], str]], ...]] = (
    (lambda case: case.idle_cores > 0 and not case.larger, _without_runtime),
    (lambda case: case.shares.decoders >= FULL, _few_decoders),
    (lambda case: case.idle_cpus > 0 and not case.larger, _few_for_the_cpus),
    (lambda case: case.slow_inference and not case.larger, _few_runtimes),
)


def _disturbed(found: Shares) -> tuple[str, ...]:
    if found.others < DISTURBED:
        return ()
    return (
        f"other programs used {_percent(found.others)} of the CPUs: measure again without them",
    )


def _cpus(case: Case) -> str:
    count, busy = case.shares.cpu_count, _percent(case.shares.cpus)
    if count == 1:
        return f"the one CPU is {busy} busy"
    whose = "the workers'" if count == len(case.size.cpus) else "all"
    return f"{whose} {count} CPUs are {busy} busy"


def _npu(case: Case) -> str:
    """How busy the NPU is, to be added to a sentence that says how busy something else is."""
    if case.shares.npu is None:
        return ""
    kind = {SIMULATED: "the simulated NPU", COMPUTED: "the NPU (computed)"}
    name = kind.get(case.shares.npu_source, "the NPU")
    return f", {name} {_percent(case.shares.npu)}"


def _each(size: Measured) -> str:
    if not size.worker_mb:
        return ""
    return f" ({sum(size.worker_mb) / len(size.worker_mb):.0f} MB each)"


def _choice(*ways: str) -> str:
    return " or ".join([", ".join(ways[:-1]), ways[-1]] if len(ways) > 1 else ways)


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")
