"""Text for a terminal: escaped, in aligned columns."""

from __future__ import annotations

from collections.abc import Sequence


def printable(text: str) -> str:
    """Escape control characters and bytes that are no text: a terminal would act on them."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def columns(
    heads: Sequence[str], rows: Sequence[Sequence[str]], widest: Sequence[str] = ()
) -> list[str]:
    """Return the lines of a table: the first column aligned left, the others right.

    If rows are printed one by one, `widest` are the widest cells to expect.
    """
    widths = [max(map(len, column)) for column in zip(heads, widest or heads, *rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [heads, *rows]
    ]
