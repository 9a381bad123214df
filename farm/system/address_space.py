"""How much address space this process and its workers may use.

Where it is too little, libraries abort or crash when they are imported: so it is said before.
"""

from __future__ import annotations

import resource
from typing import Final, NamedTuple

from farm.errors import StartError

MB: Final = 2**20


class Limit(NamedTuple):
    """A limit of this process: its number, the shell's word for it, how many MB a farm needs."""

    number: int
    word: str
    least_mb: int


# Measured with the bundled model and up to 8 workers: with a quarter less, starts failed.
LIMITS: Final = (
    Limit(resource.RLIMIT_AS, "ulimit -v", 512),
    Limit(resource.RLIMIT_DATA, "ulimit -d", 192),
)


def check() -> None:
    """Raise StartError if there is too little for any farm."""
    for limit in LIMITS:
        allowed, _ = resource.getrlimit(limit.number)
        if allowed != resource.RLIM_INFINITY and allowed < limit.least_mb * MB:
            raise StartError(
                f"only {allowed // MB} MB of memory may be mapped here, and a farm needs "
                f"{limit.least_mb}: {limit.word} unlimited"
            )


def hint() -> str:
    """Return what to add to an error that may come from a limit; empty if there is none."""
    for limit in LIMITS:
        allowed, _ = resource.getrlimit(limit.number)
        if allowed != resource.RLIM_INFINITY:
            return f"; perhaps too few MB may be mapped here: {allowed // MB} ({limit.word})"
    return ""
