"""The page of a gallery: head, style and script around its cards."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from farm.pictures.cards import to_script
from farm.report.format import SIMULATED, counted, digits, share
from farm.report.html.templates import environment
from farm.results.stats import RunSummary

PACKAGE: Final = "farm.pictures"
# The last one begins.
SCRIPTS: Final = ("cards.js", "large.js", "theme.js", "grid.js", "dialog.js", "gallery.js")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a page says of its run: a summary, `facts` by name, `notes` on what it lacks.

    `data` is what its script needs to draw cards.
    """

    run: RunSummary
    facts: dict[str, str]
    notes: Sequence[str]
    simulated: bool
    data: dict[str, Any]


def write_page(file: Path, head: Head, cards: Iterable[str]) -> None:
    """Write the page of these cards, each as JSON in ASCII, one by one; raises OSError."""
    made = environment(PACKAGE)
    for each in (counted, digits, share):
        made.filters[each.__name__] = each
    made.filters["date"] = lambda iso: iso.replace("T", " ")[:16]
    style = made.get_template("gallery.css").render()
    script = "".join(made.get_template(name).render() for name in SCRIPTS)
    filled = made.get_template("gallery.html").stream(
        run=head.run,
        facts=head.facts,
        notes=head.notes,
        simulated=SIMULATED if head.simulated else None,
        style=style,
        script=script,
        policy=policy(style, script),
        data=to_script(head.data),
        cards=cards,
    )
    with file.open("wb") as out:
        filled.enable_buffering()
        filled.dump(out, encoding="utf-8")


def policy(style: str, script: str) -> str:
    """Return a Content-Security-Policy of a page with this style and this script, and no others."""
    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src 'self' data:; "
        f"style-src {source(style)}; script-src {source(script)}"
    )


def source(text: str) -> str:
    """Return what stands for a text in a Content-Security-Policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
