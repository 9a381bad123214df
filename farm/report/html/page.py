"""A report as one page of HTML that needs no network and no scripts."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from statistics import median

from farm.report.bottleneck_text import sentences
from farm.report.data import Report
from farm.report.format import (
    SIMULATED,
    between,
    counted,
    digits,
    per_second,
    share,
    shares,
    spread,
)
from farm.report.html import figures
from farm.report.html.templates import environment
from farm.report.npu_limit import limit_rate, mean_saturation
from farm.report.size_choice import enough
from farm.report.subject_text import all_facts
from farm.report.text_table import MEANINGS, conditions, troubles


def render(report: Report) -> str:
    """Return a report, its sizes rising, as a page of HTML; what the report says is escaped.

    The page is well-formed XML, too. What is simulated, computed or published says so.
    """
    made = environment()
    for each in (between, conditions, counted, digits, median, per_second, share, shares, spread):
        made.filters[each.__name__] = each
    made.filters["saturation"] = partial(mean_saturation, report)
    return made.get_template("page.html").render(
        report=report,
        sentences=sentences(report),
        care=care(report),
        chosen=enough(report.sizes),
        several=len(report.sizes) > 1,
        limit=limit_rate(report),
        published={each.runtimes: each for each in report.published},
        facts=all_facts(report.subject, report.machine),
        figures=figures,
        measured=figures.measured_name(report),
        meanings=MEANINGS,
        simulated=SIMULATED,
    )


def care(report: Report) -> list[str]:
    """Return each thing that distorts figures once, with the sizes that had it.

    Of what a board's sensors reported, that is only dropped clocks.
    """
    had: dict[str, list[int]] = {}
    for size in report.sizes:
        found = troubles(replace(size, conditions=None))
        if size.conditions is not None and size.conditions.drops:
            found += conditions(replace(size.conditions, load=(), no_load=None, hottest=None))
        for trouble in found:
            had.setdefault(trouble, []).append(size.runtimes)
    return [
        f"{', '.join(map(str, sizes))} {'runtime' if sizes == [1] else 'runtimes'}: {trouble}"
        for trouble, sizes in had.items()
    ]
