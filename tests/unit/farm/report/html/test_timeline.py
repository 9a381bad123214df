"""What each worker did: two lanes each, from where all is known, and never too many."""

from __future__ import annotations

from farm.report.data import Span
from farm.report.html.charts import Labels
from farm.report.html.timeline import MOST_WORKERS, timeline, window
from tests.helpers.drawings import classed, number, tree

LABELS = Labels(title="What each worker did", x="ms", y="worker")


def span(worker: int, phase: str, start: float, end: float) -> Span:
    return Span(worker=worker, phase=phase, start=start, end=end)


def test_a_time_line_has_two_lanes_for_each_worker() -> None:
    spans = [span(0, "decode", 98, 100), span(0, "infer", 102, 105), span(1, "decode", 101, 104)]
    spans.append(span(0, "decode", 110, 112))
    plot = tree(timeline(LABELS, window(spans, at_most=10), decoders=1))
    assert len(classed(plot, "lane")) == 4
    (infer,) = classed(plot, "infer")[0]
    (decode,) = [rect for lane in classed(plot, "decode") for rect in lane]
    assert (infer.get("x"), infer.get("width")) == ("20%", "30%")
    assert (decode.get("x"), decode.get("width")) == ("10%", "30%")
    assert number(decode.get("y", "")) > number(infer.get("y", ""))


def test_a_time_line_begins_where_all_is_known() -> None:
    early = [span(0, "infer", 489, 501), span(1, "infer", 499, 503), span(0, "decode", 600, 700)]
    part = window(early, at_most=10)
    assert (part.start, part.end) == (501, 600)
    only = window([span(0, "infer", 489, 501)], at_most=10)
    assert only.start == only.end == 501


def test_what_two_decoders_did_at_once_is_seen_side_by_side() -> None:
    spans = [span(0, "decode", 0, 5), span(0, "decode", 1, 6), span(0, "decode", 5.5, 9)]
    spans += [span(0, "infer", -1, 0), span(0, "infer", 10, 11)]
    plot = tree(timeline(LABELS, window(spans, at_most=10), decoders=2))
    first, second = (list(row) for row in classed(plot, "decode"))
    assert [rect.get("x") for rect in first] == ["0%", "55%"]
    assert [rect.get("x") for rect in second] == ["10%"]
    assert number(second[0].get("y", "")) > number(first[0].get("y", ""))
    plot = tree(timeline(LABELS, window(spans, at_most=10), decoders=1))
    assert len(classed(plot, "decode")) == 1


def test_of_many_workers_and_spans_the_first_are_drawn() -> None:
    spans = [span(worker, "infer", at, at + 1) for at in range(100) for worker in range(64)]
    part = window(spans, at_most=300)
    assert part.workers == tuple(range(MOST_WORKERS))
    assert len(part.spans) == 300
    assert max(each.start for each in part.spans) == part.end == 300 // MOST_WORKERS
