"""The page's colours can be told from what they stand on, in light and dark."""

from __future__ import annotations

import re

import pytest

from tests.helpers.colours import contrast, of_style
from tests.helpers.support import ROOT

STYLE = "".join(
    (ROOT / "farm" / "report" / "html" / name).read_text(encoding="utf-8")
    for name in ("base.css", "page.css")
)
LIGHT, DARK = of_style(STYLE)

TEXT, SHAPES = 4.5, 3.0  # contrast ratios of WCAG 2.2, 1.4.3 and 1.4.11


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["page", "card", "warn"])
def test_words_can_be_read(colours: dict[str, str], ground: str) -> None:
    words = ["ink"] if ground == "warn" else ["ink", "soft", "published"]
    assert all(contrast(colours[word], colours[ground]) >= TEXT for word in words)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("shape", ["infer", "decode", "queue", "published", "warn-edge"])
def test_shapes_can_be_seen(colours: dict[str, str], shape: str) -> None:
    ground = colours["warn" if shape.startswith("warn") else "page"]
    assert contrast(colours[shape], ground) >= SHAPES


def test_every_colour_is_there_in_light_and_dark_and_used() -> None:
    used = set(re.findall(r"var\(--([\w-]+)\)", STYLE))
    assert used == set(LIGHT) == set(DARK)
    assert LIGHT["page"] != DARK["page"]
    assert STYLE.index("prefers-color-scheme: dark") > STYLE.index(LIGHT["ink"])
