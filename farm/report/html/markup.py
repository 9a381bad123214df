"""HTML and SVG as a tree of elements that escapes whatever it is given."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Final, TypeAlias

from farm.system.terminal import printable

EMPTY: Final = frozenset({"circle", "line", "meta", "path", "rect"})  # written <so/>
VERBATIM: Final = frozenset({"style"})  # HTML does not unescape what stands in it: ours alone


@dataclass(frozen=True, slots=True)
class Element:
    """One element with its attributes and what stands in it; `str()` is its text."""

    name: str
    attributes: dict[str, str]
    children: tuple[Child, ...]

    def __str__(self) -> str:
        said = "".join(f' {name}="{_safe(text)}"' for name, text in self.attributes.items())
        if self.name in EMPTY:
            return f"<{self.name}{said}/>"
        return f"<{self.name}{said}>{''.join(map(self._inside, self.children))}</{self.name}>"

    def _inside(self, child: Child) -> str:
        as_it_is = self.name in VERBATIM or isinstance(child, Element)
        return str(child) if as_it_is else _safe(str(child))


Child: TypeAlias = Element | str


def element(name: str, /, *children: Child, **attributes: str | float) -> Element:
    """Make an element; of an attribute's name, `_` at the end is dropped, other `_` become `-`."""
    named = {key.rstrip("_").replace("_", "-"): _text(value) for key, value in attributes.items()}
    return Element(name, named, children)


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else f"{round(value, 2):g}"


def _safe(text: str) -> str:
    return escape(printable(text))
