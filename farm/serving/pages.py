"""The pages of a service, filled once, each with the content security policy that it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from farm.pictures.cards import to_script
from farm.pictures.colours import as_hex, colour, ink
from farm.pictures.page import source
from farm.report.format import SIMULATED
from farm.report.html.templates import environment

PACKAGES: Final = ("farm.serving", "farm.pictures")
SCRIPTS: Final = ("cards.js", "large.js", "theme.js", "live.js", "look.js")  # the last one begins
COLOURS: Final = 1000  # classes, as many as photo models have; of more, some share theirs
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


def live_page(name: str, ask: str, *, thumbnails: bool) -> Page:
    """Return the page that shows a farm live.

    `ask` is the path that answers for an image; without `thumbnails`, the last results have no
    pictures.
    """
    made = environment(*PACKAGES)
    style = made.get_template("live.css").render()
    script = "".join(made.get_template(each).render() for each in SCRIPTS)
    data: dict[str, Any] = {
        "name": name,
        "ask": ask,
        "classes": {},  # those that were seen
        "palette": [palette(number) for number in range(COLOURS)],
        "folder": None,  # thumbnails come with their cards
        "thumbnails": thumbnails,
    }
    html = made.get_template("live.html").render(
        style=style,
        script=script,
        data=to_script(data),
        simulated=SIMULATED,
        cards=CARDS,
        columns=COLUMNS,
    )
    return Page(html, policy(style, script=script))


def login_page(*, wrong: bool) -> Page:
    """Return the page that asks for the token; `wrong` says that the last one was."""
    made = environment(*PACKAGES)
    style = made.get_template("live.css").render()
    html = made.get_template("login.html").render(style=style, wrong=wrong)
    return Page(html, policy(style))


def policy(style: str, *, script: str | None = None) -> str:
    """Return the policy of a page with this style and script: nothing from anywhere else."""
    scripts = "" if script is None else f" script-src {source(script)};"
    return (
        f"default-src 'none'; style-src {source(style)};{scripts} connect-src 'self'; "
        "img-src data: blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def palette(number: int) -> tuple[Any, ...]:
    """Return the colour of a class and that of a name on it."""
    ground = colour(number)
    return as_hex(ground), as_hex(ink(ground))
