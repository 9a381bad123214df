"""Numbers as a config may write them: `4`, `4,5` or `4-7`."""

from __future__ import annotations

import re
from typing import Final

MOST_CPUS: Final = 4096
NUMBERS: Final = r"\d+(-\d+)?(,\d+(-\d+)?)*"


def parse_numbers(value: object) -> object:
    """Return a tuple for numbers written as `4`, `4,5` or `4-7`; anything else as it is."""
    if type(value) is int:
        return (value,)
    if not isinstance(value, str) or not re.fullmatch(NUMBERS, value):
        return value
    spans = [part.split("-") for part in value.split(",")]
    if any(int(number) >= MOST_CPUS for span in spans for number in span):
        return value
    return tuple(cpu for span in spans for cpu in range(int(span[0]), int(span[-1]) + 1))
