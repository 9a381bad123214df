"""A short slice of a round, worker by worker: when it decoded, when it inferred."""

from __future__ import annotations

from typing import Final

from farm.report.data import Span
from farm.results.result import Result

SLICE_MS: Final = 150.0
SETTLED_MS: Final = 500.0  # from the begin of a round: pipes and windows are full


class Slice:
    """Keeps the spans of 150 ms of a round that began at `begun` (CLOCK_MONOTONIC seconds).

    They are taken 0.5 s after the begin; of a shorter round, they are its first.
    """

    def __init__(self, *, begun: float) -> None:
        self._begun = begun
        self._first: list[Span] = []
        self._settled: list[Span] = []

    def add(self, result: Result, *, now: float) -> None:
        """Look at a result that has come `now`, at once: its times are counted back from that."""
        if result.error is not None:
            return
        ms = result.ms
        decoding = (now - self._begun) * 1000 - ms.total + ms.queue
        decoded = decoding + ms.decode
        inferring = decoded + ms.wait
        spans = (
            Span(worker=result.worker, phase="decode", start=decoding, end=decoded),
            Span(worker=result.worker, phase="infer", start=inferring, end=inferring + ms.infer),
        )
        self._first += [span for span in spans if _within(span, 0.0)]
        self._settled += [span for span in spans if _within(span, SETTLED_MS)]

    def spans(self) -> tuple[Span, ...]:
        """Those of the slice, by their begin."""
        return tuple(sorted(self._settled or self._first, key=lambda span: span.start))


def _within(span: Span, begin: float) -> bool:
    return span.start < begin + SLICE_MS and span.end > begin
