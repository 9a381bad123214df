"""Colours of style sheets, and how far apart they are."""

from __future__ import annotations

import re


def of_style(style: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return a style's colours by name, light and dark: blocks of these come in turn."""
    blocks = [
        dict(re.findall(r"--([\w-]+): (#\w{6});", block))
        for block in re.findall(r":root \{(.*?)\}", style, re.S)
    ]
    light: dict[str, str] = {}
    dark: dict[str, str] = {}
    for number, block in enumerate(blocks):
        (dark if number % 2 else light).update(block)
    return light, dark


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2, 0 to 1."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)
