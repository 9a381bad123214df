"""What a benchmark means, as sentences: the one place that words a bottleneck."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from farm.report.bottleneck import LARGER, SMALLER, Advice, Bottleneck, Kind, find_bottleneck
from farm.report.data import Measured, Report
from farm.report.format import counted
from farm.report.size_choice import enough, fastest
from farm.report.utilization import COMPUTED, KERNEL, SIMULATED, Shares

DISTURBED: Final = 0.1  # of the CPUs taken by other programs: the figures are of what was left

_SENTENCES: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        Kind.NPU: "NPU-bound: {reached}; more runtimes only cost memory{memory}",
        Kind.NPU_OR_RUNTIMES: (
            "NPU-bound, or too few runtimes: {reached}; to find out, measure {advice} as well"
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
    size = enough(report.sizes)
    said = [_SENTENCES[found.kind].format(**_facts(report, size, found))]
    if sum(each.average_ms.median > 0 for each in report.sizes) > 1:
        said.insert(0, _choice_of_size(report, size))
    if found.shares.others >= DISTURBED:
        others = _percent(found.shares.others)
        said.append(f"other programs used {others} of the CPUs: measure again without them")
    return tuple(said)


def _choice_of_size(report: Report, size: Measured) -> str:
    best = fastest(report.sizes)
    chosen = f"{counted(size.runtimes, 'runtime')}, at {size.average_ms.median:.2f} ms per image"
    if best is size:
        return f"the fastest of these sizes: {chosen}"
    share = _percent(best.average_ms.median / size.average_ms.median)
    more = max(0.0, best.memory_mb - size.memory_mb)
    return (
        f"enough: {chosen}, {share} of the best rate; "
        f"{best.runtimes} take {best.average_ms.median:.2f} ms and {more:.0f} MB more memory"
    )


def _facts(report: Report, size: Measured, found: Bottleneck) -> dict[str, str | float]:
    """Return all that a sentence may name."""
    busy, cores = found.shares, report.npu_cores
    each_mb = sum(size.worker_mb) / len(size.worker_mb) if size.worker_mb else 0.0
    return {
        "advice": _choice([_way(each) for each in found.advice]),
        "coordinator": _percent(busy.coordinator),
        "cores": counted(cores, "NPU core"),
        "counted_cpus": counted(len(size.cpus), "CPU"),
        "cpu_ms": size.cpu_ms.median,
        "cpus": _cpus(size, busy),
        "decoders": counted(size.decoders, "decoder thread"),
        "idle_cores": cores - len({*size.npu_cores, *size.left_out}),
        "infer_ms": size.means["infer"],
        "memory": f" ({each_mb:.0f} MB each)" if each_mb else "",
        "npu": "" if busy.npu is None else f", {_NPU[busy.npu_source]} {_percent(busy.npu)}",
        "reached": _reached(size, found),
        "runtimes": counted(size.runtimes, "runtime"),
        "share": _percent(found.share),
    }


_NPU: Final = {SIMULATED: "the simulated NPU", COMPUTED: "the NPU (computed)", KERNEL: "the NPU"}


def _reached(size: Measured, found: Bottleneck) -> str:
    """Return how busy the runtimes keep the NPU cores, and by what that is known."""
    runtimes, done = counted(size.runtimes, "runtime"), _percent(found.shares.npu or 0.0)
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
        return f"the one CPU is {_percent(busy.cpus)} busy"
    whose = "the workers'" if busy.cpu_count == len(size.cpus) else "all"
    return f"{whose} {busy.cpu_count} CPUs are {_percent(busy.cpus)} busy"


def _way(advice: Advice) -> str:
    if advice.value in (LARGER, SMALLER):
        article = "" if advice.key.endswith("s") else "a "
        return f"{article}{advice.value} {advice.key}"
    return f"{advice.key}: {advice.value}"


def _choice(ways: list[str]) -> str:
    return " or ".join([", ".join(ways[:-1]), ways[-1]] if len(ways) > 1 else ways)


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")
