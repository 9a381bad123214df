"""A colour for each class: the same one wherever the class is shown."""

from __future__ import annotations

import colorsys
from typing import Final

Colour = tuple[int, int, int]  # red, green, blue: 0 to 255

GOLDEN: Final = 0.618033988749895  # of a turn: whatever their number, no two hues come close
LIGHTNESS: Final = (0.5, 0.66, 0.4)  # in turn: hues that do come close differ in it
SATURATION: Final = 0.9
BLACK: Final = (0, 0, 0)
WHITE: Final = (255, 255, 255)


def colour(class_id: int) -> Colour:
    """Return the colour of a class."""
    hue, lightness = class_id * GOLDEN % 1, LIGHTNESS[class_id % len(LIGHTNESS)]
    red, green, blue = colorsys.hls_to_rgb(hue, lightness, SATURATION)
    return round(red * 255), round(green * 255), round(blue * 255)


def ink(ground: Colour) -> Colour:
    """Return black or white, what is read better on `ground`: a contrast of 4.5 or more."""
    light = luminance(ground)
    return BLACK if (light + 0.05) ** 2 > 0.05 * 1.05 else WHITE


def luminance(shown: Colour) -> float:
    """Return the relative luminance of WCAG 2, 0 to 1."""
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
              for v in (part / 255 for part in shown)]  # fmt: skip
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def as_hex(shown: Colour) -> str:
    """Return a colour as style sheets have it."""
    return "#{:02x}{:02x}{:02x}".format(*shown)
