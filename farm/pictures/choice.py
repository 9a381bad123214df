"""Which of a run's results a page shows: a browser and a memory card take no million."""

from __future__ import annotations

from typing import Final

from farm.results.result import Result

FIRST: Final = 10_000  # are all shown
OTHERS: Final = 10_000  # of those after them: errors and wrong answers


class Choice:
    """Counts the results that come, in `seen`, and those that are shown, in `shown`."""

    def __init__(self) -> None:
        self.seen = self.shown = self._late = 0

    def takes(self, result: Result, right: str | None) -> bool:
        """Count a result and return whether it is shown; `right` is its label, None if unknown."""
        self.seen += 1
        taken = self.seen <= FIRST
        if not taken and (result.error is not None or is_wrong(result, right)):
            self._late += 1
            taken = self._late <= OTHERS
        self.shown += taken
        return taken

    def note(self) -> str | None:
        """Return what is not shown, None if that is nothing."""
        if self.seen == self.shown:
            return None
        late = "all" if self._late <= OTHERS else f"the first {OTHERS} of"
        return (
            f"Not all of the run's {self.seen} images are shown: these are the first {FIRST}, and "
            f"of the others {late} {self._late} with an error or a wrong answer."
        )


def is_wrong(result: Result, right: str | None) -> bool:
    """Return whether a result's best class is not the right one, as far as that is known."""
    return right is not None and right not in [each.label for each in (result.top5 or ())[:1]]
