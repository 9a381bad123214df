"""Whatever the figures are, charts stay inside their drawing and are well-formed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from farm.report.data import Span
from farm.report.html.charts import (
    Labels,
    Limit,
    Part,
    Point,
    Row,
    Series,
    columns,
    curve,
    histogram,
    rows,
)
from farm.report.html.timeline import PHASES, timeline, window
from farm.results.latency import Histogram
from tests.helpers.drawings import classed, outside, tree

LABELS = Labels(title='a "title" of <1 & more', x="x & y", y="<y>")
RATES = st.just(0.0) | st.floats(1e-3, 1e5)
POINTS = st.lists(st.tuples(st.integers(1, 200), RATES, RATES, RATES), min_size=1, max_size=20)


def series(kind: str, told: list[tuple[int, float, float, float]]) -> Series:
    return Series(
        kind=kind,
        points=tuple(
            Point(x=x, y=sorted(ys)[1], lowest=min(ys), highest=max(ys), title="<&>")
            for x, *ys in told
        ),
    )


@given(POINTS, POINTS, st.none() | st.floats(0.1, 1e5))
def test_curves_stay_inside(
    ours: list[tuple[int, float, float, float]],
    theirs: list[tuple[int, float, float, float]],
    limit: float | None,
) -> None:
    line = Limit(value=limit, name="limit") if limit else None
    plot = tree(curve(LABELS, [series("measured", ours), series("published", theirs)], line))
    assert outside(plot) == []
    assert len(plot.findall(".//circle")) == len(ours)
    assert len(plot.findall(".//path")) == len(theirs)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=80))
def test_columns_stay_inside(values: list[float]) -> None:
    named = [(f"{at}", value) for at, value in enumerate(values)]
    plot = tree(columns(LABELS, named, Limit(value=80, name="published")))
    assert outside(plot) == []
    assert len(classed(plot, "infer")) == len(values)


@given(st.lists(st.lists(RATES, min_size=1, max_size=4), min_size=1, max_size=12))
def test_rows_stay_inside(lengths: list[list[float]]) -> None:
    bars = [
        Row(name="a & b", parts=tuple(Part(kind="decode", value=ms, title="<") for ms in row))
        for row in lengths
    ]
    plot = tree(rows(LABELS, bars))
    assert outside(plot) == []
    assert len(classed(plot, "decode")) == sum(map(len, lengths))


@given(st.lists(RATES, min_size=1, max_size=300))
def test_histograms_stay_inside_and_lose_no_image(latencies: list[float]) -> None:
    counted = Histogram()
    for ms in latencies:
        counted.add(ms)
    marks = {f"p{percent}": counted.percentile(percent) for percent in (50, 90, 99)}
    plot = tree(histogram(LABELS, counted.buckets(), marks))
    assert outside(plot) == []
    titles = [bar.findtext("title", "") for bar in plot.iter("g")]
    assert sum(int(title.split(": ")[1].split()[0]) for title in titles) == len(latencies)


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.sampled_from(PHASES), RATES, st.floats(0, 1e4)),
        max_size=200,
    ),
    st.integers(1, 100),
    st.integers(1, 6),
)
def test_time_lines_stay_inside_and_are_bounded(
    told: list[tuple[int, str, float, float]], at_most: int, decoders: int
) -> None:
    spans = [
        Span(worker=worker, phase=phase, start=start, end=start + length)
        for worker, phase, start, length in told
    ]
    part = window(spans, at_most=at_most)
    plot = tree(timeline(LABELS, part, decoders=decoders))
    assert outside(plot) == []
    drawn = [rect for phase in PHASES for lane in classed(plot, phase) for rect in lane]
    assert len(drawn) <= at_most
