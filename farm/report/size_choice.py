"""Which numbers of runtimes to compare, and which of those measured is enough."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol, TypeVar

from farm.config.schema import MOST_RUNTIMES
from farm.report.data import Spread

TOLERANCE: Final = 0.03  # so much faster, or it is noise; see docs/decisions/0013
RUNTIMES_PER_CORE: Final = 6  # at most; the published sweeps end at 5 or 6


class Timed(Protocol):
    """What was measured in rounds."""

    @property
    def average_ms(self) -> Spread:
        """Milliseconds per image over the rounds, 0 where nothing was classified."""


T = TypeVar("T", bound=Timed)


def multiples(cores: int) -> tuple[int, ...]:
    """Return the sizes with 1 to 6 runtimes for each of `cores` NPU cores that a farm can have."""
    sizes = (n * cores for n in range(1, RUNTIMES_PER_CORE + 1))
    return tuple(size for size in sizes if size <= MOST_RUNTIMES)


def clearly_faster(new: Timed, old: Timed) -> bool:
    """Return whether `new` is faster by more than 3 %, and than every round of `old`.

    Compared is the median of its rounds' milliseconds per image.
    """
    ms, than = new.average_ms.median, old.average_ms
    return ms < than.median * (1 - TOLERANCE) and ms < than.lowest


def fastest(measured: Sequence[T]) -> T:
    """Return the one with the fewest milliseconds per image; the first of several.

    What classified nothing is no choice, unless none did.
    """
    done = [each for each in measured if each.average_ms.median > 0] or measured
    return min(done, key=lambda each: each.average_ms.median)


def enough(measured: Sequence[T]) -> T:
    """Return the first of `measured`, cheapest first, than which the fastest is not clearly faster.

    What classified nothing is no choice, unless none did.
    """
    best = fastest(measured)
    done = [each for each in measured if each.average_ms.median > 0] or measured
    return next(each for each in done if not clearly_faster(best, each))
