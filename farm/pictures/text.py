"""A line of text as a mask: any script, one baseline, cut to a width."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from farm.pictures.faces import Drawn, Mask
from farm.pictures.fonts import Fonts

CUT: Final = "…"
USUAL: Final = "Ág|"  # as high as a line is, but for letters that are higher still


@lru_cache(maxsize=512)  # names and scores come again and again
def line(fonts: Fonts, text: str, size: int) -> Drawn:
    """Draw one line of text in letters of `size` pixels; all lines of one size are as high."""
    usual = fonts.base.draw(USUAL, size)
    height = Drawn(usual.mask[:, :0], usual.above)
    return joined([height, *(face.draw(piece, size) for face, piece in fonts.runs(text))])


def fitted(fonts: Fonts, text: str, size: int, width: int, end: str = "") -> Mask:
    """Draw a text and its `end` side by side; the text is cut if both are wider than `width`."""
    begin, last, kept = line(fonts, text, size), line(fonts, end, size), len(text)
    room = width - last.mask.shape[1]
    while begin.mask.shape[1] > room and kept > 0:
        kept = max(0, min(kept - 1, kept * room // begin.mask.shape[1]))
        begin = line(fonts, text[:kept].rstrip() + CUT, size)
    return joined([begin, last]).mask[:, :width]


def joined(parts: Sequence[Drawn]) -> Drawn:
    """Put texts side by side, on one baseline."""
    above, below = (max(sides) for sides in zip(*((p.above, p.below) for p in parts), strict=True))
    masks = [np.pad(p.mask, ((above - p.above, below - p.below), (0, 0))) for p in parts]
    return Drawn(np.hstack(masks), above)
