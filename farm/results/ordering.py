"""In which order results are given: as they arrive, or as their items were submitted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from farm.results.result import Result


class ArrivalOrder:
    """Gives each result at once."""

    def behind(self, _next_id: int) -> int:
        """See InputOrder.behind; nothing is ever held back."""
        return 0

    def put(self, result: Result) -> Iterator[Result]:
        """Take one result in; gives it."""
        yield result

    def rest(self) -> Iterator[Result]:
        """Give what was held back: nothing."""
        return iter(())


class InputOrder:
    """Holds results back until all before them have been given."""

    def __init__(self, first_id: int) -> None:
        self.next_id = first_id
        self._early: dict[int, Result] = {}

    def put(self, result: Result) -> Iterator[Result]:
        """Take one result in; gives those whose turn has come."""
        self._early[result.id] = result
        while self.next_id in self._early:
            self.next_id += 1
            yield self._early.pop(self.next_id - 1)

    def behind(self, next_id: int) -> int:
        """How many items before number `next_id` have not been given."""
        return next_id - self.next_id

    def rest(self) -> Iterator[Result]:
        """Give what waits for results that will not come: the run was stopped."""
        return (self._early[number] for number in sorted(self._early))


Order: TypeAlias = ArrivalOrder | InputOrder
