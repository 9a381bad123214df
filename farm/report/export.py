"""A benchmark's report as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import json
import shlex
from dataclasses import asdict
from statistics import median
from typing import Any, Final

from farm.report.bottleneck import find_bottleneck
from farm.report.bottleneck_text import sentences
from farm.report.data import Measured, Report
from farm.results.stats import PHASES

PERCENTS: Final = (50, 90, 99)
DIGITS: Final = 4  # a tenth of a microsecond, of milliseconds


def as_json(report: Report) -> str:
    """Return the whole report as one JSON object, with medians and ranges where there are rounds.

    `bottleneck` is a `Bottleneck`, null if nothing was classified; `verdict` is it in sentences.
    """
    found = find_bottleneck(report)
    values = {
        **asdict(report),
        "sizes": [_size(size) for size in report.sizes],
        "bottleneck": found and {**asdict(found), "kind": found.kind.value},
        "verdict": sentences(report),
    }
    return json.dumps(_rounded(values), indent=1, allow_nan=False)


def as_csv(report: Report) -> str:
    """Return a table of the sizes with a head line; what is not known is an empty cell."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    rows = [_row(report, size) for size in report.sizes]
    writer.writerow(rows[0])
    writer.writerows(row.values() for row in rows)
    return out.getvalue()


def _size(size: Measured) -> dict[str, Any]:
    return {
        **asdict(size),
        "average_ms": asdict(size.average_ms),
        "cpu_ms": asdict(size.cpu_ms),
        "saturation": size.saturation,
        "memory_mb": size.memory_mb,
        "percentiles": {
            phase: {f"p{percent}": ms for percent, ms in zip(PERCENTS, three, strict=True)}
            for phase, three in size.percentiles.items()
        },
        "rounds": [{**asdict(each), "average_ms": each.average_ms} for each in size.rounds],
    }


def _row(report: Report, size: Measured) -> dict[str, Any]:
    average, rounds = size.average_ms, size.rounds
    beside = next((p for p in report.published if p.runtimes == size.runtimes), None)
    cells = {
        "platform": report.platform,
        "simulated": str(report.simulated).lower(),
        "runtimes": size.runtimes,
        "decoders": size.decoders,
        "decode": size.decode,
        "rounds": len(rounds),
        "images": sum(each.images for each in rounds),
        "failed": sum(each.failed for each in rounds),
        "execution_seconds": median(each.seconds for each in rounds),
        "average_ms": average.median,
        "average_ms_lowest": average.lowest,
        "average_ms_highest": average.highest,
        "cpu_ms": size.cpu_ms.median,
        "coordinator_cpu_ms": median(each.coordinator_cpu_ms for each in rounds),
        "workers_cpu_ms": median(each.workers_cpu_ms for each in rounds),
        **{f"saturation_{core}": share for core, share in enumerate(size.saturation)},
        **{
            f"{phase}_p{percent}_ms": ms
            for phase in PHASES
            for percent, ms in zip(PERCENTS, size.percentiles[phase], strict=True)
        },
        "start_seconds": size.start_seconds,
        "memory_mb": size.memory_mb,
        "workers_lost": size.losses,
        "published_average_ms": beside.average_ms if beside else "",
        "published_saturation": beside.saturation if beside and beside.saturation else "",
        "model": report.subject.model,
        "model_sha256": report.subject.model_sha256,
        "model_bytes": report.subject.model_bytes,
        "images_named": shlex.join(report.subject.images),
        "command": report.subject.command,
        "config_name": report.subject.config_name,
        "config": json.dumps(report.subject.config),
        "machine": json.dumps(report.machine, ensure_ascii=False),
    }
    return dict(_rounded(cells))


def _rounded(value: Any) -> Any:
    """Return the same with floats of four decimals."""
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(inner) for inner in value]
    return value
