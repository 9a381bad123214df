"""A benchmark's report as Markdown, to paste into an issue or a page."""

from __future__ import annotations

import re
from collections.abc import Sequence

from farm.report.bottleneck_text import sentences
from farm.report.cells import cells, heads
from farm.report.data import Report
from farm.report.subject_text import all_facts
from farm.report.text_table import caption
from farm.system.terminal import printable


def as_markdown(report: Report) -> str:
    """Return the table of the sizes, what it means, and what was measured."""
    names = heads(report)
    table = [names, ["---:"] * len(names), *(cells(report, size) for size in report.sizes)]
    published = [f"published: {report.published_source}; another model, other images than here"]
    said = [*(published if report.published else []), *sentences(report)]
    facts = [f"{name}: {fact}" for name, fact in all_facts(report.subject, report.machine).items()]
    parts = [[f"**{_escaped(caption(report))}**"], map(_row, table), _items(said), _items(facts)]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _row(row: Sequence[str]) -> str:
    return f"| {' | '.join(row)} |"


def _items(lines: Sequence[str]) -> list[str]:
    return [f"- {_escaped(line)}" for line in lines]


def _escaped(text: str) -> str:
    """Return a text of which Markdown shows each character."""
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", printable(text))
