"""A source less what earlier runs have done."""

from __future__ import annotations

from collections.abc import Callable

from farm.results.resume_index import ResumeIndex
from farm.sources.base import Ref, Source
from workers.protocol.messages import FileRef


class Remaining:
    """Gives what `source` gives, without the files that `earlier` skips.

    A million files may have to be skipped before there is one to give; `stopped` is asked
    between two of them.
    """

    def __init__(self, source: Source, earlier: ResumeIndex, stopped: Callable[[], bool]) -> None:
        self._source, self._earlier, self._stopped = source, earlier, stopped
        self.total = source.total

    @property
    def skipped(self) -> int:
        """How many files have been passed over."""
        return self._earlier.skipped

    @property
    def fds(self) -> tuple[int, ...]:
        """See Source.fds."""
        return self._source.fds

    @property
    def blocks(self) -> bool:
        """See Source.blocks."""
        return self._source.blocks

    @property
    def exhausted(self) -> bool:
        """See Source.exhausted."""
        return self._source.exhausted

    def take(self, count: int) -> list[Ref]:
        """See Source.take; returns nothing, too, once `stopped` is true."""
        while not self._stopped() and (refs := self._source.take(count)):
            if taken := [ref for ref in refs if not self._is_done(ref)]:
                return taken
        return []

    def _is_done(self, ref: Ref) -> bool:
        return isinstance(ref, FileRef) and self._earlier.skip(ref.path)
