"""The gallery's own colours can be told from what they stand on, in light and dark."""

from __future__ import annotations

import re

import pytest

from tests.helpers.colours import contrast, of_style
from tests.helpers.support import ROOT

BASE = (ROOT / "farm" / "report" / "html" / "base.css").read_text(encoding="utf-8")
CARDS, GALLERY = (
    (ROOT / "farm" / "pictures" / name).read_text(encoding="utf-8")
    for name in ("cards.css", "gallery.css")
)
OWN = CARDS + GALLERY
LIGHT, DARK = of_style(BASE + OWN)

TEXT, SHAPES = 4.5, 3.0  # contrast ratios of WCAG 2.2, 1.4.3 and 1.4.11


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("word", "ground"),
    [
        ("ink", "page"),
        ("ink", "card"),
        ("ink", "fill"),
        ("soft", "page"),
        ("soft", "card"),
        ("soft", "well"),
        ("right", "page"),
        ("wrong", "page"),
        ("wrong", "card"),
        ("page", "ink"),
    ],
)
def test_words_can_be_read(colours: dict[str, str], word: str, ground: str) -> None:
    assert contrast(colours[word], colours[ground]) >= TEXT


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["page", "card"])
def test_the_focus_can_be_seen(colours: dict[str, str], ground: str) -> None:
    assert contrast(colours["infer"], colours[ground]) >= SHAPES


def test_every_colour_is_there_in_light_and_dark() -> None:
    used = set(re.findall(r"var\(--([\w-]+)\)", BASE + OWN)) - {"picture", "ratio"}
    assert used <= set(LIGHT) == set(DARK)
