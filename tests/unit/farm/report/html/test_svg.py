"""Elements escape what they are given, wherever it stands."""

from __future__ import annotations

import pytest

from farm.report.html.svg import element
from tests.helpers.drawings import tree

AWKWARD = """<script>alert("1")</script> & 'more' ]]> é 画"""


def test_words_and_attributes_come_out_as_they_went_in() -> None:
    made = tree(element("p", AWKWARD, element("b", "&amp;"), title=AWKWARD, class_="a"))
    assert made.text == made.get("title") == AWKWARD
    assert made.findtext("b") == "&amp;"
    assert made.get("class") == "a"


@pytest.mark.parametrize("code", [0, 7, 8, 10, 27, 0x85, 0x202E, 0xD800, 0xFFFE])
def test_what_xml_forbids_or_a_reader_cannot_see_is_written_out(code: int) -> None:
    written = str(element("p", f"a{chr(code)}b"))
    assert written.encode().decode() == written
    assert tree(written).text in {f"a\\x{code:02x}b", f"a\\u{code:04x}b", "a\\nb"}


def test_figures_are_short_and_without_exponent_where_charts_use_them() -> None:
    assert str(element("rect", x=1 / 3, y=1200.0, stroke_width=2)) == (
        '<rect x="0.33" y="1200" stroke-width="2"/>'
    )


def test_svg_inside_svg_is_not_escaped_again_and_a_template_takes_it_as_it_is() -> None:
    inner = element("title", "a & b")
    outer = element("g", inner, "<")
    assert outer == "<g><title>a &amp; b</title>&lt;</g>"
    assert outer.__html__() is outer
