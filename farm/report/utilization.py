"""How busy each thing was, of what there is of it: NPU cores, CPUs, coordinator, threads."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Final

from farm.report.data import Measured

SIMULATED: Final = "simulated"  # the simulated NPU's own account, exact
KERNEL: Final = "kernel"  # the NPU load that the kernel reports
COMPUTED: Final = "computed"  # the share of the rate that inferences one after another would give


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Shares from 0 to 1. `npu` is of the cores with a runtime, None where that is not known.

    `npu_source` says where it is from. `cpus` is of `cpu_count` CPUs, whoever used them, and
    `others` what programs that are not ours took of them; `coordinator` is of one CPU.
    `decoders` is of the decoder threads' time, `runtimes` of the runtimes', `tasks` of that of the
    threads in which workers make answers: waiting for a CPU or a core counts as busy.
    """

    npu: float | None
    npu_source: str
    cpus: float
    cpu_count: int
    others: float
    coordinator: float
    decoders: float
    runtimes: float
    tasks: float


def shares(size: Measured, *, simulated: bool, service_ms: float | None) -> Shares:
    """Compute a size's shares; `service_ms` is how long an inference takes a core, if known.

    The size must have classified something. CPU time per image by time per image is the number
    of CPUs in use; so it is for threads.
    """
    average = size.average_ms.median
    source, npu = _npu_share(size, simulated=simulated, service_ms=service_ms)
    coordinator = median(each.coordinator_cpu_ms for each in size.rounds) / average
    workers = median(each.workers_cpu_ms for each in size.rounds) / average
    everywhere, others = len({*size.cpus, *size.coordinator_cpus}), others_share(size)
    all_busy, theirs = (coordinator + workers) / everywhere + others, workers / len(size.cpus)
    return Shares(
        npu=npu,
        npu_source=source,
        cpus=min(1.0, max(all_busy, theirs)),
        cpu_count=everywhere if all_busy >= theirs else len(size.cpus),
        others=others,
        coordinator=min(1.0, coordinator),
        decoders=min(1.0, size.means["decode"] / average / (size.runtimes * size.decoders)),
        runtimes=min(1.0, size.means["infer"] / average / size.runtimes),
        tasks=min(1.0, size.means.get("task", 0.0) / average / size.runtimes),
    )


def others_share(size: Measured) -> float:
    """Compute what programs that are not ours took of the CPUs that all of us may use."""
    known = [each.others_cpus for each in size.rounds if each.others_cpus is not None]
    everywhere = len({*size.cpus, *size.coordinator_cpus})
    return min(1.0, median(known) / everywhere) if known else 0.0


def _npu_share(
    size: Measured, *, simulated: bool, service_ms: float | None
) -> tuple[str, float | None]:
    """Return how busy the cores with runtimes were, and where that is from.

    A core can end one inference every `service_ms`, so all together can't be faster than that
    time divided by the cores. What runtimes that share a core take for an inference includes
    waiting for each other, and says nothing.
    """
    if not size.npu_cores:
        return "", None
    if simulated or (size.conditions is not None and size.conditions.load):
        known = [size.saturation[core] for core in size.npu_cores if core < len(size.saturation)]
        share = sum(known) / len(known) if known else None
        return SIMULATED if simulated else KERNEL, share
    if service_ms is None:
        return "", None
    return COMPUTED, min(1.0, service_ms / len(size.npu_cores) / size.average_ms.median)
