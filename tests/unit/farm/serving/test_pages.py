"""Pages bring all that they need, may load nothing else, and can be read in light and dark."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from farm.serving.pages import live_page
from tests.helpers.colours import contrast, of_style
from tests.helpers.looks import HOSTILE

LIVE = live_page("glyphs", "classify", most_bytes=1, thumbnails=True)
(STYLE,) = re.findall(r"<style>(.*?)</style>", LIVE.html, re.S)
LIGHT, DARK = of_style(STYLE)


def hash_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_nothing_is_allowed_but_its_own_style_and_script() -> None:
    (script,) = re.findall(r"<script>(.*?)</script>", LIVE.html, re.S)
    directives = [each.split() for each in LIVE.policy.split(";")]
    assert {name: values for name, *values in directives} == {
        "default-src": ["'none'"],
        "style-src": [hash_of(STYLE)],
        "script-src": [hash_of(script)],
        "connect-src": ["'self'"],
        "img-src": ["data:", "blob:"],
        "form-action": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }


def test_it_names_no_other_host_and_no_path_from_the_root() -> None:
    """Behind a proxy, the root is not the service's."""
    urls = re.findall(r'(?:src|href|action)="(.*?)"', LIVE.html)
    assert sorted(url.split(",")[0] for url in urls) == [
        "data:image/svg+xml",
        *("docs", "metrics", "openapi.json"),
    ]
    found = set(re.findall(r"https?://[^\"'\s&]+", LIVE.html)) - {"http://www.w3.org/2000/svg"}
    assert found == set()


def test_no_style_or_handler_is_in_an_element() -> None:
    """The policy would refuse it."""
    markup = re.sub(r"<(style|script)\b.*?</\1>", "", LIVE.html, flags=re.S)
    assert re.findall(r"\s(?:style|on\w+)=", markup) == []


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_of_a_model_is_data(name: str) -> None:
    page = live_page(name, "classify", most_bytes=1, thumbnails=True)
    assert page.html.count("<script") == LIVE.html.count("<script")
    assert "alert(1)>" not in page.html


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("word", "ground"),
    [
        ("ink", "page"),
        ("ink", "card"),
        ("soft", "page"),
        ("soft", "card"),
        ("good", "page"),
        ("wrong", "page"),
        ("wrong", "card"),
        ("infer", "page"),
    ],
)
def test_words_can_be_read(colours: dict[str, str], word: str, ground: str) -> None:
    assert contrast(colours[word], colours[ground]) >= 4.5


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_bars_can_be_seen(colours: dict[str, str]) -> None:
    assert contrast(colours["infer"], colours["well"]) >= 3.0


def test_every_colour_is_there_in_light_and_dark() -> None:
    used = set(re.findall(r"var\(--([\w-]+)\)", STYLE)) - {"picture", "ratio"}
    assert used <= set(LIGHT) == set(DARK)
