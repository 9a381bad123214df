"""What a benchmark means, as sentences: the one place with the wording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from farm.report.bottleneck import (
    FASTER,
    LARGER,
    SMALLER,
    Advice,
    Bottleneck,
    Kind,
    find_bottleneck,
)
from farm.report.data import Measured, Report
from farm.report.format import counted, share
from farm.report.size_choice import enough, fastest
from farm.report.utilization import COMPUTED, KERNEL, SIMULATED, Shares

DISTURBED: Final = 0.1  # of the CPUs taken by other programs: the figures are of what was left

_SENTENCES: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        Kind.NPU: "NPU-bound: {reached}; more runtimes only cost memory{memory}",
        Kind.NPU_OR_RUNTIMES: (
            "NPU-bound, or too few runtimes: {reached}; to find out, measure {advice} as well"
        ),
        Kind.TASK: (
            "task-bound: the task takes {task_ms:.1f} ms per image, its thread in each worker is "
            "{share} busy; {cpus}{npu}; try {advice}"
        ),
        Kind.DECODING: "decode-bound: {cpus}{npu}; try {advice}",
        Kind.CPUS: (
            "CPU-bound: {cpus}; an image takes {cpu_ms:.1f} ms of CPU time, "
            "its inference {infer_ms:.1f} ms; try {advice}"
        ),
        Kind.OVERHEAD: "CPU-bound: {cpus}, more than half of that not for images; try {advice}",
        Kind.COORDINATOR: "coordinator-bound: it uses {share} of one CPU{npu}; try {advice}",
        Kind.IDLE_CORES: (
            "too few runtimes: {idle_cores} of {cores} without a runtime; use {advice}"
        ),
        Kind.DECODERS: (
            "decode-bound: {decoders} per worker, {share} busy; {cpus}{npu}; try {advice}"
        ),
        Kind.IDLE_CPUS: "too few runtimes: {runtimes} for {counted_cpus}; {cpus}; use {advice}",
        Kind.RUNTIMES: (
            "too few runtimes: inference takes {share} of each runtime's time{npu}; try {advice}"
        ),
        Kind.NOTHING: (
            "nothing is at its limit: {cpus}{npu}, the coordinator uses {coordinator} of one CPU; "
            "try {advice}"
        ),
    }
)


def sentences(report: Report) -> tuple[str, ...]:
    """Return what a benchmark means, a sentence each: the size, its limit, who disturbed it.

    Empty if nothing was classified. What is simulated or computed is said to be.
    """
    found = find_bottleneck(report)
    if found is None:
        return ()
    size, best, said = enough(report.sizes), fastest(report.sizes), []
    chosen = f"{counted(size.runtimes, 'runtime')}, at {size.average_ms.median:.2f} ms per image"
    if best is not size:
        of_best = share(best.average_ms.median / size.average_ms.median)
        more = max(0.0, best.memory_mb - size.memory_mb)
        said.append(
            f"enough: {chosen}, {of_best} of the best rate; "
            f"{best.runtimes} take {best.average_ms.median:.2f} ms and {more:.0f} MB more memory"
        )
    elif sum(each.average_ms.median > 0 for each in report.sizes) > 1:
        said.append(f"the fastest of these sizes: {chosen}")
    said.append(_SENTENCES[found.kind].format(**_facts(report, size, found)))
    return (*said, *disturbance(found.shares.others))


def disturbance(others: float) -> tuple[str, ...]:
    """Return a sentence if `others` is a share of the CPUs that distorts figures, else none."""
    if others < DISTURBED:
        return ()
    return (f"other programs used {share(others)} of the CPUs: measure again without them",)


def _facts(report: Report, size: Measured, found: Bottleneck) -> dict[str, str | float]:
    """Return all that a sentence may name."""
    busy, cores = found.shares, report.npu_cores
    each_mb = sum(size.worker_mb) / len(size.worker_mb) if size.worker_mb else 0.0
    return {
        "advice": _choice(found.advice),
        "coordinator": share(busy.coordinator),
        "cores": counted(cores, "NPU core"),
        "counted_cpus": counted(len(size.cpus), "CPU"),
        "cpu_ms": size.cpu_ms.median,
        "cpus": _cpus(size, busy),
        "decoders": counted(size.decoders, "decoder thread"),
        "idle_cores": cores - len({*size.npu_cores, *size.left_out}),
        "infer_ms": size.means["infer"],
        "memory": f" ({each_mb:.0f} MB each)" if each_mb else "",
        "npu": "" if busy.npu is None else f", {_NPU[busy.npu_source]} {share(busy.npu)}",
        "reached": _reached(size, found),
        "runtimes": counted(size.runtimes, "runtime"),
        "share": share(found.share),
        "task_ms": size.means.get("task", 0.0),
    }


_NPU: Final = {SIMULATED: "the simulated NPU", COMPUTED: "the NPU (computed)", KERNEL: "the NPU"}


def _reached(size: Measured, found: Bottleneck) -> str:
    """Return how busy the runtimes keep the NPU cores, and by what that is known."""
    runtimes, done = counted(size.runtimes, "runtime"), share(found.shares.npu or 0.0)
    s, source = "s" if size.runtimes == 1 else "", found.shares.npu_source
    if source == KERNEL:
        cores = counted(len(size.npu_cores), "NPU core")
        return f"{runtimes} keep{s} {cores} {done} busy, by the kernel's NPU load"
    cores = counted(len(size.npu_cores), f"{'simulated ' if source == SIMULATED else ''}NPU core")
    reached = f"{runtimes} reach{'es' if s else ''} {done} of what {cores} can do"
    if source == SIMULATED:
        return f"{reached} at {found.service_ms or 0.0:g} ms"
    return f"{reached} at {found.service_ms or 0.0:.2f} ms (computed from the median inference)"


def _cpus(size: Measured, busy: Shares) -> str:
    if busy.cpu_count == 1:
        return f"the one CPU is {share(busy.cpus)} busy"
    whose = "the workers'" if busy.cpu_count == len(size.cpus) else "all"
    return f"{whose} {busy.cpu_count} CPUs are {share(busy.cpus)} busy"


def _choice(advice: Sequence[Advice]) -> str:
    ways = []
    for each in advice:
        if each.value in (LARGER, SMALLER, FASTER):
            article = "" if each.key.endswith("s") else "a "
            ways.append(f"{article}{each.value} {each.key}")
        else:
            ways.append(f"{each.key}: {each.value}")
    return " or ".join([", ".join(ways[:-1]), ways[-1]] if len(ways) > 1 else ways)
