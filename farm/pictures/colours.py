"""A colour for each class: the same one wherever the class is shown."""

from __future__ import annotations

import colorsys
from typing import Final

Colour = tuple[int, int, int]  # red, green, blue: 0 to 255

# Each is the one that is furthest from all before it, by CIE Lab: the first 20 are 40 apart, all 80
# are 19. None is too dark, too light or too grey for a line on a photo.
FIRST: Final = (
    "f33 0f0 00f 0cf 560 727 4fb ee0 f0e f9a 07f f90 f08 731 ec8 2a2 e9f 086 70b 059 "
    "914 be8 0ff 8af af4 e85 0f7 9a0 c2a a70 85c 900 e56 b7a b0f fc4 072 04e d6f 8a6 "
    "f60 f7b 7db a55 14a 3b7 a74 ee6 dbf b50 f05 a94 b17 152 97c 4d2 09d 0bb 8c4 8f8 "
    "95f 580 819 b5a ea5 62e fad b0c a47 07d 43b 750 d87 0c6 548 c30 b03 bd3 98f f7e "
)
DIGIT: Final = 17  # the step between two digits of FIRST
GOLDEN: Final = 0.618033988749895  # of a turn: whatever their number, no two hues come close
LIGHTNESS: Final = (0.5, 0.66, 0.4)  # in turn: hues that do come close differ in it
SATURATION: Final = 0.9
BLACK: Final = (0, 0, 0)
WHITE: Final = (255, 255, 255)


def colour(class_id: int) -> Colour:
    """Return the colour of a class; those of the first 80 are told apart best."""
    if 0 <= 4 * class_id < len(FIRST):
        red, green, blue = (DIGIT * int(digit, 16) for digit in FIRST[4 * class_id :][:3])
        return red, green, blue
    hue, lightness = class_id * GOLDEN % 1, LIGHTNESS[class_id % len(LIGHTNESS)]
    parts = colorsys.hls_to_rgb(hue, lightness, SATURATION)
    return round(parts[0] * 255), round(parts[1] * 255), round(parts[2] * 255)


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
