"""The page of a service, filled once, with the content security policy that it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from farm.pictures.cards import shown, to_script
from farm.pictures.page import source
from farm.report.format import SIMULATED
from farm.report.html.templates import environment

PACKAGES: Final = ("farm.serving", "farm.pictures")
SCRIPTS: Final = ("cards.js", "large.js", "theme.js", "live.js", "look.js")  # the last one begins
COLOURS: Final = 1000  # classes, as many as photo models have; of more, some share theirs
# In the page, too: browsers ask for it.
ICON: Final = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Cpath d='M2 14V6h3v8zm5 0V2h3v12zm5 0V9h3v5z' fill='%231664a8'/%3E%3C/svg%3E"
)
CARDS: Final = (
    ("rate", "Images per second", ""),
    ("p50", "Latency, p50", "ms"),
    ("busy", "With the workers", ""),
    ("images", "Images", ""),
    ("up", "Workers up", ""),
    ("memory", "Memory of workers", ""),
)
COLUMNS: Final = (
    *((name, "") for name in ("worker", "state", "NPU core", "CPUs")),
    *((name, "number") for name in ("images", "in flight", "decode ms", "infer ms", "memory")),
    *((name, "number") for name in ("losses", "process")),
)


@dataclass(frozen=True, slots=True)
class Page:
    """A page and its Content-Security-Policy."""

    html: str
    policy: str


def live_page(name: str, ask: str, *, most_bytes: int, thumbnails: bool) -> Page:
    """Return the page that shows a farm live.

    `ask` is the path that answers for an image of up to `most_bytes`; without `thumbnails`, the
    last results have no pictures.
    """
    made = environment(*PACKAGES)
    style = made.get_template("live.css").render()
    script = "".join(made.get_template(each).render() for each in SCRIPTS)
    data: dict[str, Any] = {
        "name": name,
        "ask": ask,
        "most": most_bytes,
        "classes": {},  # those that were seen
        "palette": [shown(number, None)[1:] for number in range(COLOURS)],
        "folder": None,  # thumbnails come with their cards
        "thumbnails": thumbnails,
    }
    html = made.get_template("live.html").render(
        style=style,
        script=script,
        data=to_script(data),
        icon=ICON,
        simulated=SIMULATED,
        cards=CARDS,
        columns=COLUMNS,
    )
    return Page(html, policy(style, script))


def policy(style: str, script: str) -> str:
    """Return the policy of a page with this style and script: nothing from anywhere else."""
    return (
        f"default-src 'none'; style-src {source(style)}; script-src {source(script)}; "
        "connect-src 'self'; img-src data: blob:; form-action 'none'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
