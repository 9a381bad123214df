"""Words for a terminal: file names and labels made harmless, tables and summaries of a run."""

from __future__ import annotations

from farm.hardware.platforms import cpu_list
from farm.report.format import SIMULATED
from farm.results.stats import RunSummary
from farm.scheduler.placement import FarmPlan
from farm.system.terminal import columns
from workers.runtimes.base import ONNX


def summary(run: RunSummary, plan: FarmPlan) -> list[str]:
    """What a run has done; the first line reads like the published examples' last one."""
    lines = [
        f"Processed {run.ok} images in {run.seconds:.1f}s, "
        f"average inference per image is {run.average_ms:.2f}ms"
    ]
    if plan.simulated:
        lines.append(f"Runtime      {SIMULATED}")
    if run.skipped:
        lines.append(f"Skipped      {run.skipped}: done by earlier runs")
    if run.failed:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(run.failures.items()))
        lines.append(f"Failed       {run.failed} of {run.ended}: {kinds}")
    if run.ok:
        lines.append(f"Rate         {run.rate:.1f} images per second")
        lines.extend(_latency(run))
        counts = ", ".join(f"{worker}: {n}" for worker, n in run.per_worker.items())
        lines.append(f"Per worker   {counts}")
    lines.extend(_troubles(run))
    if run.judged:
        lines.append(_accuracy(run))
    return lines


def _troubles(run: RunSummary) -> list[str]:
    lines = []
    if run.losses:
        lines.append(f"Workers lost {run.losses}; what they held went to others")
    if run.dropped:
        lines.append(f"Dropped      {run.dropped} messages: late, double, or none of ours")
    if run.left_out:
        cores = ", ".join(map(str, run.left_out))
        lines.append(f"NPU cores    {cores} LEFT OUT: no worker could use it; see above")
    return lines


def _latency(run: RunSummary) -> list[str]:
    names = {"total": "Latency", "infer": "  inference"}
    return [
        f"{name:<12} p50 {p50:.1f} ms, p90 {p90:.1f} ms, p99 {p99:.1f} ms"
        for phase, name in names.items()
        for p50, p90, p99 in [run.percentiles[phase]]
    ]


def _accuracy(run: RunSummary) -> str:
    top1, top5 = run.top1_right / run.judged, run.top5_right / run.judged
    return f"Accuracy     top-1 {top1:.1%}, top-5 {top5:.1%} of {run.judged} images"


def _mask(mask: int | None) -> str:
    return "none" if mask is None else f"{mask:#05b}"


def plan_table(plan: FarmPlan) -> list[str]:
    """A plan as a table, one row per worker, and its notices."""
    first = plan.workers[0]
    rows = [
        [
            f"{worker.index}",
            "-" if plan.runtime == ONNX else f"{worker.npu_core}",
            "-" if plan.runtime == ONNX else _mask(worker.core_mask),
            cpu_list(worker.cpus),
        ]
        for worker in plan.workers
    ]
    return [
        f"platform {plan.platform.name}, runtime {plan.runtime}, {len(plan.workers)} workers",
        f"model    {first.model or '(none: ' + SIMULATED + ')'}",
        *columns(["worker", "NPU core", "core mask", "CPUs"], rows),
        *(f"note: {notice}" for notice in plan.notices),
    ]
