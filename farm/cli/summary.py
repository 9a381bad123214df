"""The summary of a run and the table of a plan, as text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from farm.hardware.platforms import cpu_list
from farm.report.format import SIMULATED
from farm.report.subject import Subject
from farm.report.subject_text import facts
from farm.results.result import Result
from farm.results.stats import RunSummary
from farm.results.text_line import failure_line, fitting
from farm.scheduler.placement import FarmPlan
from farm.system.terminal import UNKNOWN, UNLIMITED, columns, printable, wrapped
from workers.runtimes.base import ONNX

INDENT: Final = 13  # where the facts of a summary begin
SHOWN_CLASSES: Final = 5


def summary(run: RunSummary, what: Subject, *, simulated: bool) -> list[str]:
    """Return what a run has done; the first line reads like the last one of go-rknnlite's pool."""
    average = f", average inference per image is {run.average_ms:.2f}ms" if run.ok else ""
    lines = [f"Processed {run.ok} images in {run.seconds:.1f}s{average}"]
    if simulated:
        lines.append(f"Runtime      {SIMULATED}")
    if run.skipped:
        lines.append(f"Skipped      {run.skipped}: done by earlier runs")
    if run.failed:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(run.failures.items()))
        lines.append(f"Failed       {run.failed} of {run.ended}: {kinds}")
    if run.ok:
        lines += [
            f"{name.capitalize():<12} {printable(fact)}" for name, fact in facts(what).items()
        ]
        lines.append(
            f"Per image    {run.average_ms:.2f} ms of wall clock, all workers together; "
            f"inference p50 {run.percentiles['infer'][0]:.1f} ms"
        )
        lines.append(f"Rate         {run.rate:.1f} images per second")
        for phase, name, note in (
            ("total", "Latency", "; includes the queue"),
            ("infer", "  inference", ""),
        ):
            p50, p90, p99 = run.percentiles[phase]
            lines.append(f"{name:<12} p50 {p50:.1f} ms, p90 {p90:.1f} ms, p99 {p99:.1f} ms{note}")
        each, per = ("board", run.per_board) if run.per_board else ("worker", run.per_worker)
        counts = ", ".join(f"{printable(str(name))}: {n}" for name, n in per.items())
        lines.append(f"{f'Per {each}':<12} {counts}")
    if run.searched:
        total = sum(run.objects.values())
        found = f"Objects      {total} in {run.with_objects} of {run.searched} images"
        most = [f"{count} {name}" for name, count in run.objects.items()][:SHOWN_CLASSES]
        lines.append(fitting(f"{found}: ", most, UNKNOWN) if most else found)
    return lines + _warnings(run)


def failures(first: Sequence[Result], count: int, output: Path | None) -> list[str]:
    """Return a line for each of the first failures, and where to find the others of `count`."""
    lines = [f"{count} failed:", *(f"  {failure_line(each)}" for each in first)]
    if others := count - len(first):
        where = "-o FILE writes them all" if output is None else f"all are in {output}"
        lines.append(f"  and {others} others; {where}")
    return lines


def _warnings(run: RunSummary) -> list[str]:
    """Return what went wrong with workers, and how accurate the answers were."""
    lines = []
    if run.losses:
        lines.append(f"Workers lost {run.losses}; other workers took over what they held")
    if run.dropped:
        lines.append(f"Dropped      {run.dropped} messages: late, double, or invalid")
    if run.left_out:
        cores = ", ".join(map(str, run.left_out))
        lines.append(f"NPU cores    {cores} LEFT OUT: no worker could use it; see above")
    if run.judged:
        top1, top5 = (100 * right / run.judged for right in (run.top1_right, run.top5_right))
        others = f"; {run.ok - run.judged} are not judged" if run.judged < run.ok else ""
        shares = f"top-1 {top1:.1f} %, top-5 {top5:.1f} %"
        lines.append(f"Accuracy     {shares} of {run.judged} images{others}")
    return lines


def plan_table(plan: FarmPlan, width: int = UNLIMITED) -> list[str]:
    """Return a plan as a table, one row per worker, and its notices, wrapped at `width`."""
    on_npu, first = plan.runtime != ONNX, plan.workers[0]
    rows = []
    for worker in plan.workers:
        mask = "none" if worker.core_mask is None else f"{worker.core_mask:#05b}"
        npu = (f"{worker.npu_core}", mask) if on_npu else ("-", "-")
        rows.append((f"{worker.index}", *npu, cpu_list(worker.cpus)))
    size, cores = len(plan.workers), len({worker.npu_core for worker in plan.workers})
    share = f", {size // cores} per NPU core" if on_npu and size % cores == 0 else ""
    return [
        f"platform {plan.platform.name}, runtime {plan.runtime}, {size} workers{share}",
        f"model    {first.model or '(none: ' + SIMULATED + ')'}",
        *columns(["worker", "NPU core", "core mask", "CPUs"], rows),
        *wrapped([f"note: {notice}" for notice in plan.notices], width),
    ]
