"""What single charts show, and where."""

from __future__ import annotations

from itertools import pairwise

import pytest

from farm.report.html.charts import (
    MOST_BARS,
    OUTERMOST,
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
from farm.results.latency import Histogram
from tests.helpers.drawings import classed, number, said, tree

LABELS = Labels(title="Images per second", x="runtimes", y="images per second")


def point(x: float, y: float, off: float = 0.0) -> Point:
    return Point(x=x, y=y, lowest=y - off, highest=y + off, title=f"{x}: {y}")


def test_a_curve_marks_values_with_their_range_below_the_limit() -> None:
    series = [Series(kind="measured", points=(point(1, 400, off=10), point(3, 1100)))]
    plot = tree(curve(LABELS, series, Limit(value=1154, name="NPU's limit 1154, computed")))
    one, three = plot.findall(".//circle")
    assert (one.get("cx"), three.get("cx")) == ("33.33%", "100%")
    (limit,) = classed(plot, "limit")
    assert number(limit.get("y1", "")) < number(three.get("cy", "")) < number(one.get("cy", ""))
    (spread,) = classed(plot, "spread")
    top, bottom = (number(spread.get(end, "")) for end in ("y1", "y2"))
    assert top < number(one.get("cy", "")) < bottom
    assert "NPU's limit 1154, computed" in said(plot)


def test_what_is_published_is_another_shape_not_only_another_colour() -> None:
    both = [Series(kind=kind, points=(point(2, 5),)) for kind in ("measured", "published")]
    plot = tree(curve(LABELS, both, None))
    assert len(plot.findall(".//circle")) == 1
    assert [mark.get("d") for mark in plot.findall(".//path")] == ["M0-6L6 0 0 6-6 0Z"]


@pytest.mark.parametrize(("count", "names"), [(3, 3), (8, 8), (64, 16)])
def test_columns_name_as_many_cores_as_have_room(count: int, names: int) -> None:
    plot = tree(columns(LABELS, [(f"core{at}", 91.4) for at in range(count)], None))
    found = [text.text for text in plot.iter("text") if (text.text or "").startswith("core")]
    assert len(found) <= names
    assert found[-1] == f"core{count - 1}"
    assert said(plot).count("91 %") == count + (2 * count if count <= 8 else count)


def test_the_parts_of_a_row_follow_each_other() -> None:
    parts = [Part(kind=kind, value=ms, title="") for kind, ms in (("queue", 5), ("decode", 2.5))]
    plot = tree(rows(LABELS, [Row(name="3 runtimes", parts=tuple(parts))]))
    drawn = [(bar.get("x"), bar.get("width")) for bar in plot.iter("rect")]
    assert drawn == [("0%", "62.5%"), ("62.5%", "31.25%")]


def test_no_columns_stand_where_the_name_of_the_line_across_them_does() -> None:
    plot = tree(columns(LABELS, [("0", 99), ("1", 98)], Limit(value=80, name="published 80%")))
    bars = [number(bar.get("x", "")) + number(bar.get("width", "")) for bar in plot.iter("rect")]
    assert max(bars) < 70


def latencies(*ms: float) -> Histogram:
    counted = Histogram()
    for each in ms:
        counted.add(each)
    return counted


def test_one_image_in_a_thousand_does_not_stretch_the_axis() -> None:
    many = [20.0 + at / 100 for at in range(999)]
    plot = tree(histogram(LABELS, latencies(*many, 5000.0).buckets(), {"p50": 25.0}))
    labels = [float(text.text or "") for text in classed(plot, "middle")]
    assert max(labels) < 60
    assert OUTERMOST * 1000 > 1


def test_bars_hold_equally_many_buckets_so_none_looks_twice_as_full() -> None:
    even = [1.02**at for at in range(300)]
    plot = tree(histogram(LABELS, latencies(*even).buckets(), {}))
    heights = {round(number(bar.get("height", "")), 1) for bar in classed(plot, "bar")[1:-1]}
    assert len(heights) == 1
    assert len(classed(plot, "bar")) <= MOST_BARS


def test_percentiles_that_are_close_have_a_line_of_their_own_each() -> None:
    marks = {"p50": 22.0, "p90": 22.1, "p99": 22.2}
    plot = tree(histogram(LABELS, latencies(20, 22, 24).buckets(), marks))
    names = [text for text in classed(plot, "halo") if (text.text or "").startswith("p")]
    assert [text.text for text in names] == ["p50 22.0 ms", "p90 22.1 ms", "p99 22.2 ms"]
    tops = [number(text.get("y", "")) for text in names]
    assert all(lower - upper >= 14 for upper, lower in pairwise(tops))
