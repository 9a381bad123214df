"""Results of a run to counts, rates and percentiles, in constant memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Final

from farm.errors import SourceError
from farm.results.latency import Histogram
from farm.results.result import Result
from farm.results.text_line import class_name, failure_line
from farm.results.truth import Truth, right_label

PHASES: Final = ("queue", "decode", "wait", "infer", "total")
# Ranking a batch takes no time worth a figure; what another task takes may be most of it.
TASK: Final = "task"
PHASES_WITH_TASK: Final = (*PHASES[:-1], TASK, PHASES[-1])
SHOWN_FAILURES: Final = 10  # of a run that prints no line per image


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """What a run has done so far; `seconds` is its wall-clock time.

    `judged` counts the results whose right label is known. `dropped` counts messages that were
    late, double or invalid; `left_out` are the NPU cores that no worker could use; `skipped`
    counts the images that earlier runs had done.

    `per_board` counts by the boards of a hub, and is empty where there is none.

    `objects` are the numbers of found objects by class, the most frequent first; a detector has
    looked at `searched` images, and found something in `with_objects` of them.
    """

    ok: int
    failed: int
    failures: dict[str, int]
    per_worker: dict[int, int]
    per_board: dict[str, int]
    losses: int
    dropped: int
    left_out: tuple[int, ...]
    seconds: float
    percentiles: dict[str, tuple[float, float, float]]
    busy_ms: dict[int, float]
    judged: int
    top1_right: int
    top5_right: int
    skipped: int
    objects: dict[str, int]
    searched: int
    with_objects: int

    @property
    def ended(self) -> int:
        """Items that got a result of either kind."""
        return self.ok + self.failed

    @property
    def rate(self) -> float:
        """Images per second."""
        return self.ok / self.seconds if self.seconds > 0 else 0.0

    @property
    def average_ms(self) -> float:
        """Wall-clock milliseconds per image, as the published tables count it."""
        return self.seconds * 1000 / self.ok if self.ok else 0.0


@dataclass(slots=True)
class Stats:
    """Running totals of one run.

    `truth` tells the right label of a path.
    """

    truth: Truth | None = None
    first_failures: list[Result] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    per_worker: Counter[int] = field(default_factory=Counter)
    per_board: Counter[str] = field(default_factory=Counter)
    busy_ms: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))
    losses: int = 0
    dropped: int = 0
    left_out: tuple[int, ...] = ()
    judged: int = 0
    top1_right: int = 0
    top5_right: int = 0
    skipped: int = 0
    objects: Counter[str] = field(default_factory=Counter)
    searched: int = 0
    with_objects: int = 0
    task: Histogram = field(default_factory=Histogram)
    phases: dict[str, Histogram] = field(
        default_factory=lambda: {phase: Histogram() for phase in PHASES}
    )

    @property
    def ended(self) -> int:
        """Items that got a result of either kind."""
        return self.per_worker.total() + self.failures.total()

    def count(self, result: Result) -> None:
        """Count one result."""
        if result.error is not None:
            if len(self.first_failures) < SHOWN_FAILURES:
                self.first_failures.append(result)
            self.failures[result.error.kind] += 1
            return
        self.per_worker[result.worker] += 1
        if result.board is not None:
            self.per_board[result.board] += 1
        self.busy_ms[result.worker] += result.ms.infer
        for phase, histogram in self.phases.items():
            histogram.add(getattr(result.ms, phase))
        if result.top5 is None:
            self.task.add(result.ms.task)
        if result.objects is not None:
            self.searched += 1
            self.with_objects += bool(result.objects)
            self.objects.update(
                class_name(each, simulated=result.simulated) for each in result.objects
            )
        right = right_label(result, self.truth)
        if right is not None:
            labels = [prediction.label for prediction in result.top5 or ()]
            self.judged += 1
            self.top1_right += right in labels[:1]
            self.top5_right += right in labels

    def durations(self) -> dict[str, Histogram]:
        """How long images took, by phase; in the task only if that is another than classifying."""
        return {**self.phases, **({TASK: self.task} if self.task.buckets() else {})}

    def check_ok(self, purpose: str) -> None:
        """Raise SourceError with `purpose` and the first failure if no result was without error."""
        if self.first_failures and not self.per_worker:
            first = failure_line(self.first_failures[0])
            raise SourceError(f"{purpose}: every image ended in an error; first: {first}")

    def include(self, other: Stats) -> None:
        """Count what another has counted."""
        self.failures.update(other.failures)
        self.per_worker.update(other.per_worker)
        self.per_board.update(other.per_board)
        for worker, ms in other.busy_ms.items():
            self.busy_ms[worker] += ms
        for phase, histogram in self.phases.items():
            histogram.include(other.phases[phase])
        self.task.include(other.task)
        self.judged += other.judged
        self.top1_right += other.top1_right
        self.top5_right += other.top5_right
        self.objects.update(other.objects)
        self.searched += other.searched
        self.with_objects += other.with_objects

    def summary(self, *, seconds: float) -> RunSummary:
        """Return what was counted in `seconds` of the run."""
        return RunSummary(
            ok=self.per_worker.total(),
            failed=self.failures.total(),
            failures=dict(self.failures),
            per_worker=dict(sorted(self.per_worker.items())),
            per_board=dict(sorted(self.per_board.items())),
            losses=self.losses,
            dropped=self.dropped,
            left_out=self.left_out,
            seconds=seconds,
            percentiles={
                phase: (h.percentile(50), h.percentile(90), h.percentile(99))
                for phase, h in self.durations().items()
            },
            busy_ms=dict(self.busy_ms),
            judged=self.judged,
            top1_right=self.top1_right,
            top5_right=self.top5_right,
            skipped=self.skipped,
            objects=dict(self.objects.most_common()),
            searched=self.searched,
            with_objects=self.with_objects,
        )
