"""The page says what was measured, all of it, and how far it can be trusted."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest

from farm.report.bottleneck_text import sentences
from farm.report.data import Report
from farm.report.format import digits, percentages, share, shares, spread
from farm.report.html.figures import SPANS_ON_A_PAGE
from farm.report.html.page import render
from farm.report.npu_limit import limit_rate, mean_saturation
from farm.report.size_choice import enough
from farm.results.stats import PHASES
from tests.helpers import reports
from tests.helpers.drawings import classed, number, outside, plots, said, tree
from tests.helpers.support import ROOT

CASES: dict[str, Report] = {
    "seven sizes": reports.report(),
    "one size": reports.report(sizes=(3,)),
    "a board": reports.on_a_board(),
    "one size on a board": reports.on_a_board(sizes=(15,)),
    "64 cores": reports.report(sizes=(1, 8, 64), cores=64, published=()),
}


def on_a_cpu(**changes: Any) -> Report:
    """Two ONNX runtimes, which have no NPU cores and nothing published."""
    made = reports.report(sizes=(2,))
    first = made.sizes[0]
    rounds = tuple(replace(each, saturation=(0.7,)) for each in first.rounds)
    size = replace(first, npu_cores=(), service_ms=None, rounds=rounds)
    values = {
        "npu_cores": 0,
        "simulated": False,
        "what": "ONNX Runtime on the CPU",
        "published": (),
        "sizes": (size,),
        "saturation_source": "no NPU cores here: the mean share of the CPU runtimes",
        **changes,
    }
    return replace(made, **values)


def body(page: str) -> ElementTree.Element:
    found = tree(page).find("body")
    assert found is not None
    return found


@pytest.mark.parametrize("report", CASES.values(), ids=CASES)
def test_a_page_is_well_formed_and_its_charts_stay_inside(report: Report) -> None:
    page = tree(render(report))
    assert len(plots(page)) == 3 + 2 * len(report.sizes)
    assert [place for plot in plots(page) for place in outside(plot)] == []


@pytest.mark.parametrize("report", CASES.values(), ids=CASES)
def test_a_page_needs_nothing_but_itself_and_is_no_burden(report: Report) -> None:
    page = render(report)
    assert not re.search(r"https?:|//|@import|<script|<link|<img|<iframe|\bon\w+=", page)
    assert re.findall(r"url\((.*?)\)", page) == ["#hatch"]
    assert re.findall(r'(?:href|src)="', page) == []
    (policy,) = [tag for tag in tree(page).iter("meta") if tag.get("http-equiv")]
    assert "default-src 'none'" in policy.get("content", "")
    assert len(page.encode()) < 300_000


def test_template_and_style_are_in_the_package_and_jinja_is_imported_by_none_but_render() -> None:
    packaged = re.search(
        r"^\"farm.report.html\" = (.+)$", (ROOT / "pyproject.toml").read_text(), re.M
    )
    assert packaged is not None
    assert re.findall(r'"(.+?)"', packaged[1]) == ["page.html", "page.css", "base.css"]
    asked = "import sys, farm.report.html.page; print('jinja2' in sys.modules)"
    imported = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert imported.stdout == "False\n"


def test_every_figure_of_the_table_is_there() -> None:
    report = CASES["seven sizes"]
    table, *_ = tree(render(report)).iter("table")
    rows = [[said(cell).split(" ms")[0] for cell in row] for row in table.iter("tr")]
    assert [row[0] for row in rows] == ["Runtimes", "1", "2", "3", "6", "9", "12", "15"]
    for cells, size, beside in zip(rows[1:], report.sizes, report.published, strict=True):
        seconds = sorted(each.seconds for each in size.rounds)[1]
        assert cells[1:5] == [
            f"{seconds:.2f} s",
            percentages(size.saturation),
            f"{size.average_ms.median:.2f}",
            f"{beside.average_ms:.2f}",
        ]
    assert [row[5] for row in rows[1:]] == ["-"] * 6 + ["80 %"]


def test_what_it_costs_is_there() -> None:
    size = CASES["one size"].sizes[0]
    table = list(tree(render(CASES["one size"])).iter("table"))[-1]
    assert [said(cell) for cell in list(table.iter("tr"))[1]] == [
        "3",
        f"{1000 / size.average_ms.median:.0f}",
        "1.74 ms",
        "126 MB",
        "24 to 26 MB",
        "0.43 s",
    ]


@pytest.mark.parametrize("report", CASES.values(), ids=CASES)
def test_the_bottleneck_comes_first(report: Report) -> None:
    page = tree(render(report))
    (section,) = classed(page, "bottleneck")
    assert [part.text for part in section] == list(sentences(report))
    order = [part.get("class") for part in page.iterfind("body/main/*")]
    assert order.index("bottleneck") == 1


@pytest.mark.parametrize("name", ["seven sizes", "one size", "64 cores"])
def test_simulated_is_said_at_the_top_and_at_every_chart_and_table(name: str) -> None:
    page = tree(render(CASES[name]))
    assert [mark.text for mark in classed(page, "stamp")] == ["SIMULATED"]
    assert said(page).startswith("SIMULATED")
    several = len(CASES[name].sizes) > 1
    for part in [*page.iter("figure"), *classed(page, "caption")]:
        assert "SIMULATED" in said(part), said(part)[:80]
    assert several == ("fewest" in said(page))


@pytest.mark.parametrize("name", ["a board", "one size on a board"])
def test_nothing_is_called_simulated_that_is_not(name: str) -> None:
    words = said(body(render(CASES[name])))
    assert "simulated" not in words.lower()


@pytest.mark.parametrize("name", ["seven sizes", "one size", "a board"])
def test_the_limit_says_computed_and_what_is_published_names_its_source(name: str) -> None:
    report = CASES[name]
    rates, *_ = tree(render(report)).iter("figure")
    assert report.published_source in said(rates)
    assert "computed" in said(rates)
    assert f"{limit_rate(report):.0f}" in said(rates)


def test_the_cards_are_of_the_size_that_is_enough() -> None:
    report = CASES["seven sizes"]
    size = enough(report.sizes)
    rate, limit = 1000 / size.average_ms.median, 3000 / 2.6
    p50, p90, p99 = size.percentiles["total"]
    cards = [said(card) for card in classed(tree(render(report)), "card")]
    assert cards == [
        f"Average per image {digits(size.average_ms.median)} ms "
        f"{spread(size.average_ms)} in 3 rounds",
        f"Images per second {rate:.0f} {share(rate / limit)} of the NPU's limit, 1154 (computed)",
        f"NPU saturation {share(mean_saturation(report, size))} cores: {shares(size.saturation)}",
        f"Latency, p50 {p50:.1f} ms p90 {p90:.1f}, p99 {p99:.1f}",
        "CPU time per image 1.74 ms all processes together",
        f"Memory {size.memory_mb:.0f} MB PSS of all processes",
    ]


def test_the_curve_shows_each_sizes_range() -> None:
    plot, *_ = plots(tree(render(CASES["seven sizes"])))
    dots = {dot.get("cx", ""): number(dot.get("cy", "")) for dot in plot.iter("circle")}
    lines = classed(plot, "spread")
    assert [line.get("x1") for line in lines] == list(dots)
    above = [dots[line.get("x1", "")] - number(line.get("y1", "")) for line in lines]
    below = [number(line.get("y2", "")) - dots[line.get("x1", "")] for line in lines]
    assert min(above + below) >= 0
    assert max(above) > 1
    assert max(below) > 1


def test_one_size_stands_beside_what_is_published_of_as_many_and_of_the_best() -> None:
    rates, *_ = tree(render(CASES["one size"])).iter("figure")
    assert "3 runtimes, published: 433" in said(rates)
    assert "15 runtimes, published: 917" in said(rates)


def test_a_page_shares_its_spans_among_the_sizes() -> None:
    for lanes in tree(render(CASES["seven sizes"])).iter("details"):
        drawn = [rect for phase in PHASES for lane in classed(lanes, phase) for rect in lane]
        assert 0 < len(drawn) <= SPANS_ON_A_PAGE / 7
    assert "16 of 64 workers are drawn" in said(tree(render(CASES["64 cores"])))


def test_one_size_has_bars_for_its_cores_and_no_curve_of_one_point() -> None:
    rates, cores, *_ = tree(render(CASES["one size"])).iter("figure")
    assert not list(rates.iter("circle"))
    assert len(classed(cores, "infer")) == 3
    values = [share(busy) for busy in CASES["one size"].sizes[0].saturation]
    assert [text.text for text in classed(cores, "strong")] == values


def test_the_published_saturation_stands_among_the_cores_of_as_many_runtimes() -> None:
    _, cores, *_ = tree(render(CASES["one size on a board"])).iter("figure")
    assert len(classed(cores, "theirs")) == 1
    assert "published 80 %" in said(cores)


def test_a_cpu_has_no_npu_and_no_limit() -> None:
    page = said(body(render(on_a_cpu())))
    assert "NPU saturation" not in page
    assert "NPU's limit" not in page
    assert "mean share of the CPU runtimes" in page
    assert "70 %" in page


def test_what_went_wrong_stands_above_the_figures() -> None:
    (care,) = classed(tree(render(CASES["a board"])), "care")
    assert [item.text for item in care.iter("li")] == [
        "1, 2, 3, 6, 9, 12, 15 runtimes: clocks: CPU 4-7 dropped from 2256 to 1608 MHz "
        "(governor ondemand)",
        "15 runtimes: NPU cores LEFT OUT: 1; these are figures of the others",
        "15 runtimes: workers lost: 2; the figures include that, but not the CPU time of those",
        '15 runtimes: 12 of 812 images failed: 4 not "an" <image> & more, 8 truncated',
    ]


def test_where_nothing_went_wrong_nothing_is_said_of_it() -> None:
    page = tree(render(CASES["seven sizes"]))
    assert not classed(page, "care")
    assert "Conditions" not in [title.text for title in page.iter("h2")]


def test_what_the_sensors_told_is_there() -> None:
    page = tree(render(CASES["a board"]))
    assert "highest temperature: 71 °C in npu-thermal" in said(page)
    assert "mean of 17 samples" in said(page)


def test_the_machine_is_described_and_its_facts_escaped() -> None:
    machine = {'<b>"board"</b>': "a & b <i>\x1b[31m", "kernel": "Linux"}
    page = tree(render(reports.report(sizes=(1,), machine=machine)))
    (facts,) = classed(page, "facts")
    shown = [part.text for part in facts]
    at = shown.index('<b>"board"</b>')
    assert shown[at : at + 4] == ['<b>"board"</b>', "a & b <i>\\x1b[31m", "kernel", "Linux"]
    assert ["command", "npu-farm bench rk3588 photos/"] in [shown[n : n + 2] for n in range(at)]


def test_the_details_of_the_size_that_is_enough_are_open() -> None:
    page = tree(render(CASES["seven sizes"]))
    opened = [part.findtext("summary") for part in page.iter("details") if part.get("open")]
    (title, *_) = [part.text or "" for part in page.iter("h2")]
    assert len(opened) == 1
    assert title.startswith(f"With {opened[0]}, the fewest")


def test_percentiles_of_every_step_are_there() -> None:
    report = CASES["one size"]
    page = said(tree(render(report)))
    for phase in PHASES:
        three = " ".join(map(digits, report.sizes[0].percentiles[phase]))
        assert re.search(rf"{phase} [a-z, ]+ {three}", page), phase


def test_a_size_that_classified_nothing_says_so() -> None:
    made = reports.report(sizes=(1, 3))
    empty = replace(
        made.sizes[1],
        rounds=tuple(replace(each, images=0, failed=800) for each in made.sizes[1].rounds),
        percentiles=dict.fromkeys(PHASES, (0.0, 0.0, 0.0)),
        means=dict.fromkeys(PHASES, 0.0),
        distribution=(),
        spans=(),
        per_worker={},
        failures={"missing": 2400},
    )
    page = tree(render(replace(made, sizes=(made.sizes[0], empty))))
    assert "Every image ended in an error." in said(page)
    assert "2400 of 2400 images failed: 2400 missing" in said(page)
    page = tree(render(replace(made, sizes=(empty,))))
    assert not classed(page, "bottleneck")


def test_the_parts_of_an_images_time_add_up_to_all_of_it() -> None:
    made = reports.report(sizes=(3,))
    means = {"queue": 30.0, "decode": 2.0, "wait": 1.0, "infer": 2.6, "total": 40.0}
    report = replace(made, sizes=(replace(made.sizes[0], means=means),))
    _, _, steps, *_ = tree(render(report)).iter("figure")
    parts = [title.text for title in steps.iter("title")][1:]
    expected = {**means, "rest": 4.4}
    del expected["total"]
    assert parts == [f"{step}: {digits(ms)} ms" for step, ms in expected.items()]
    assert "3 runtimes: 40.0 ms in all" in said(steps)
