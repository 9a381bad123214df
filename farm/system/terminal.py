"""Text for a terminal: escaped, in aligned columns, no wider than it is."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterable, Sequence
from typing import Final, TextIO

UNKNOWN: Final = 80  # columns of a terminal that does not tell, as a serial one
UNLIMITED: Final = 1 << 20  # columns of what is no terminal: a file or a pipe gets all


def printable(text: str) -> str:
    """Escape control characters and bytes that are no text: a terminal would act on them."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def width_of(stream: TextIO) -> int:
    """Return how many columns a stream shows: UNLIMITED if it is no terminal."""
    if not stream.isatty():
        return UNLIMITED
    return os.get_terminal_size(stream.fileno()).columns or UNKNOWN


def obeys(stream: TextIO) -> bool:
    """Return whether a stream is a terminal that obeys escape sequences."""
    return stream.isatty() and os.environ.get("TERM") not in {None, "", "dumb", "unknown"}


def wrapped(lines: Iterable[str], width: int, *, indent: int = 2) -> list[str]:
    """Return the lines, those longer than `width` wrapped at blanks, `indent` further in.

    What has no blank, as a path, stays whole, so that it can be copied; if no line is long enough
    for it, it begins where it is.
    """
    out: list[str] = []
    for line in lines:
        parts = [line] if len(line) <= width else textwrap.wrap(
            line,
            max(width, 2 * indent),
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
        )  # fmt: skip
        out += parts[:1]
        for part in parts[1:]:
            if len(part) > width:
                out[-1] = f"{out[-1]} ".ljust(indent) + part.lstrip()
            else:
                out.append(part)
    return out


def columns(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    widest: Sequence[str] = (),
    *,
    width: int = UNLIMITED,
    optional: Sequence[str] = (),
) -> list[str]:
    """Return the lines of a table: the first column aligned left, the others right.

    If rows are printed one by one, `widest` are the widest cells to expect. If the table would be
    wider than `width`, the columns with the heads `optional` are left out, the first one first.
    """
    expected = [widest] if widest else rows
    sizes = [max(map(len, column)) for column in zip(heads, *expected, strict=True)]
    kept = list(range(len(heads)))
    for name in optional:
        if sum(sizes[at] + 2 for at in kept) - 2 <= width:
            break
        kept.remove(heads.index(name))
    sizes = [max(map(len, column)) for column in zip(heads, *expected, *rows, strict=True)]
    return [
        "  ".join(
            row[at].ljust(sizes[at]) if at == 0 else row[at].rjust(sizes[at]) for at in kept
        ).rstrip()
        for row in [heads, *rows]
    ]
