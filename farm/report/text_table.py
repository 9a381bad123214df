"""A benchmark in words: a row for each size as it is measured, then what to know about them."""

from __future__ import annotations

from statistics import median
from typing import Final

from farm.hardware.sensor_sampler import Conditions
from farm.report.bottleneck_text import sentences
from farm.report.data import Measured, Published, Report
from farm.report.format import counted, percentages
from farm.results.stats import PHASES
from farm.system.terminal import columns

# The widest cells there will be: a row is printed before the next one is known.
WIDEST_PUBLISHED: Final = "1.00ms at 80%"
WIDEST_RANGE: Final = "10.00-20.00"
HEADS: Final = ("runtimes", "execution time", "core saturation", "average per image")
MEANINGS: Final = {
    "queue": "until its decoding begins",
    "decode": "read, decoded, resized",
    "wait": "until the runtime is free",
    "infer": "in inference",
    "total": "from submission to result",
}


def head(report: Report) -> list[str]:
    """What is measured, and the heads of the columns."""
    often = f"{report.images} images" + (f" {report.repeat} times" if report.repeat > 1 else "")
    return [f"{report.platform}, {report.what}, {often} a round", "", _columns(report)[0]]


def row(report: Report, size: Measured) -> str:
    """One size's figures: medians of its rounds; `range` is the lowest and highest average."""
    return _columns(report, _cells(report, size))[-1]


def notes(report: Report, size: Measured) -> list[str]:
    """All that stands below the table; the details are those of one `size`."""
    lines = [f"core saturation: {report.saturation_source}"]
    if _published(report):
        lines += [f"published: {report.published_source};", "another model, other images than here"]
    lines += ["", f"{counted(size.runtimes, 'runtime')} in detail:", *_latency(size), *_costs(size)]
    for each in report.sizes:
        lines += [f"{counted(each.runtimes, 'runtime')}: {said}" for said in troubles(each)]
    return [*lines, "", *sentences(report)]


def troubles(size: Measured) -> list[str]:
    """What makes a size's figures others than they should be; a line each."""
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
    """What a board's sensors told: how hot it got, whether a clock dropped; a line each."""
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


def _columns(report: Report, *rows: list[str]) -> list[str]:
    """The table as far as it is known, as wide as it can get."""
    heads = [*HEADS, "range", "CPU per image"]
    widest = ["", "", percentages([1.0] * max(1, report.npu_cores)), "", WIDEST_RANGE, ""]
    if _published(report):
        heads.append("published")
        widest.append(WIDEST_PUBLISHED)
    return columns(heads, rows, widest)


def _cells(report: Report, size: Measured) -> list[str]:
    average = size.average_ms
    cells = [
        f"{size.runtimes}",
        f"{median(each.seconds for each in size.rounds):.2f}s",
        percentages(size.saturation),
        f"{average.median:.2f}ms",
        f"{average.lowest:.2f}-{average.highest:.2f}",
        f"{size.cpu_ms.median:.2f}ms",
    ]
    if _published(report):
        beside = [p for p in report.published if p.runtimes == size.runtimes]
        cells.append(_figure(beside[0]) if beside else "-")
    return cells


def _published(report: Report) -> bool:
    return bool(report.published)


def _figure(published: Published) -> str:
    load = "" if published.saturation is None else f" at {published.saturation:.0%}"
    return f"{published.average_ms:.2f}ms{load}"


def _latency(size: Measured) -> list[str]:
    rows = [
        [phase, *(f"{ms:.2f}" for ms in size.percentiles[phase]), MEANINGS[phase]]
        for phase in PHASES
    ]
    # The meaning stands to the left of its column, the figures to the right of theirs.
    width = max(map(len, MEANINGS.values()))
    padded = [[*cells[:-1], cells[-1].ljust(width)] for cells in rows]
    return columns(["an image's ms", "p50", "p90", "p99", " " * width], padded)


def _costs(size: Measured) -> list[str]:
    coordinator = median(each.coordinator_cpu_ms for each in size.rounds)
    workers = median(each.workers_cpu_ms for each in size.rounds)
    lines = [f"CPU per image: coordinator {coordinator:.2f} ms, workers {workers:.2f} ms"]
    if size.worker_mb:
        low, high = min(size.worker_mb), max(size.worker_mb)
        each = f"{low:.0f} MB" if round(low) == round(high) else f"{low:.0f} to {high:.0f} MB"
        lines.append(
            f"memory (PSS): {size.memory_mb:.0f} MB: coordinator {size.coordinator_mb:.0f} MB, "
            f"each worker {each}, other processes {size.helpers_mb:.0f} MB"
        )
    return [*lines, f"start: {size.start_seconds:.2f} s until all workers were up"]
