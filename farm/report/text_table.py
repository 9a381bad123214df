"""A benchmark as text: a row for each size as it is measured, then notes on them."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Final

from farm.hardware.sensor_sampler import Conditions
from farm.report.bottleneck_text import sentences
from farm.report.cells import OPTIONAL, cells, heads, widest
from farm.report.data import Measured, Report
from farm.report.format import between, counted
from farm.report.subject import Subject
from farm.report.subject_text import all_facts, facts
from farm.results.stats import PHASES_WITH_TASK
from farm.system.terminal import UNLIMITED, columns, printable, wrapped

AT_THE_END: Final = ("command", "versions")  # the page, Markdown and JSON have more
MEANINGS: Final = {
    "queue": "until its decoding begins",
    "decode": "read, decoded, resized",
    "wait": "until the runtime is free",
    "infer": "in inference",
    "task": "in its task",
    "total": "from submission to result",
}


def caption(report: Report) -> str:
    """Return what is measured, in a line."""
    often = f"{report.images} images" + (f" {report.repeat} times" if report.repeat > 1 else "")
    return f"{report.platform}, {report.what}, {often} a round"


def head(report: Report, width: int = UNLIMITED) -> list[str]:
    """Return what is measured, and the heads of the columns that fit into `width`."""
    return [caption(report), *what(report.subject, width), "", *_columns(report, (), width)]


def what(said: Subject, width: int = UNLIMITED) -> list[str]:
    """Return the model, the images and the config that are measured, wrapped at `width`."""
    lines = [f"{name:<7} {printable(fact)}" for name, fact in facts(said).items()]
    return wrapped(lines, width, indent=8)


def row(report: Report, size: Measured, width: int = UNLIMITED) -> str:
    """Return one size's row, below these heads; see farm.report.cells."""
    return _columns(report, [cells(report, size)], width)[-1]


def _columns(report: Report, rows: Sequence[Sequence[str]], width: int) -> list[str]:
    return columns(heads(report), rows, widest(report), width=width, optional=OPTIONAL)


def notes(report: Report, size: Measured) -> list[str]:
    """Return all that stands below the table; the details are those of one `size`."""
    lines = [f"core saturation: {report.saturation_source}"]
    if report.published:
        lines += [f"published: {report.published_source};", "another model, other images than here"]
    # The meaning stands to the left of its column, the figures to the right of theirs.
    width = max(map(len, MEANINGS.values()))
    latency = [
        [phase, *(f"{ms:.2f}" for ms in size.percentiles[phase]), MEANINGS[phase].ljust(width)]
        for phase in PHASES_WITH_TASK
        if phase in size.percentiles
    ]
    coordinator = median(each.coordinator_cpu_ms for each in size.rounds)
    workers = median(each.workers_cpu_ms for each in size.rounds)
    lines += [
        "",
        f"{counted(size.runtimes, 'runtime')} in detail:",
        *columns(["an image's ms", "p50", "p90", "p99", " " * width], latency),
        f"CPU per image: coordinator {coordinator:.2f} ms, workers {workers:.2f} ms",
    ]
    if size.worker_mb:
        lines.append(
            f"memory (PSS): {size.memory_mb:.0f} MB: coordinator {size.coordinator_mb:.0f} MB, "
            f"each worker {between(size.worker_mb)} MB, other processes {size.helpers_mb:.0f} MB"
        )
    lines.append(f"start: {size.start_seconds:.2f} s until all workers were up")
    for each in report.sizes:
        lines += [f"{counted(each.runtimes, 'runtime')}: {said}" for said in troubles(each)]
    known = all_facts(report.subject, report.machine)
    said = [f"{name}: {printable(known[name])}" for name in AT_THE_END if name in known]
    return [*lines, *said, "", *sentences(report)]


def troubles(size: Measured) -> list[str]:
    """Return what distorts a size's figures, a line each."""
    lines = conditions(size.conditions) if size.conditions is not None else []
    if size.left_out:
        cores = ", ".join(map(str, size.left_out))
        lines.append(f"NPU cores LEFT OUT: {cores}; these are figures of the others")
    if size.losses:
        lines.append(
            f"workers lost: {size.losses}; the figures include that, but not the CPU time of those"
        )
    if size.failures:
        failed, ended = sum(size.failures.values()), sum(size.per_worker.values())
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(size.failures.items()))
        lines.append(f"{failed} of {failed + ended} images failed: {kinds}")
    return lines


def conditions(run: Conditions) -> list[str]:
    """Return what a board's sensors reported: load, heat, dropped clocks; a line each."""
    lines = [run.no_load] if run.no_load else []
    if run.load:
        lines.append(f"the NPU load is the mean of {run.load_samples} samples")
    if run.hottest is not None:
        zone, degrees = run.hottest
        lines.append(f"highest temperature: {degrees:.0f} °C in {zone}")
    if run.drops is not None:
        drops = [
            f"{drop.clock} dropped from {drop.before} to {drop.after} MHz "
            f"(governor {drop.governor or 'unknown'})"
            for drop in run.drops
        ]
        lines.append(f"clocks: {', '.join(drops)}" if drops else "no clock dropped")
    return lines
