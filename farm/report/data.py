"""What a benchmark has measured, as plain data: rounds of one size, sizes of one report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from farm.hardware.sensor_sampler import Conditions
from farm.report.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The median of a figure over the rounds, and its range."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of one figure per round, at least one."""
        return cls(median=median(values), lowest=min(values), highest=max(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One timed run over the images.

    `images` were classified, `failed` were not. `saturation` is the share (0 to 1) of the time in
    which each NPU core was busy; where it is the kernel's NPU load, it is that of all rounds.
    The CPU times are user and system milliseconds per image, of the coordinator and of all its
    other processes together; a worker that died amid the round takes its own with it.
    `others_cpus` is how many CPUs' worth of time programs that are not ours took from those that
    ours may use, None where the kernel does not say.
    """

    seconds: float
    images: int
    failed: int
    saturation: tuple[float, ...]
    coordinator_cpu_ms: float
    workers_cpu_ms: float
    others_cpus: float | None

    @property
    def average_ms(self) -> float:
        """Wall-clock milliseconds per image, as the published tables count it."""
        return self.seconds * 1000 / self.images if self.images else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What one worker did from `start` to `end`, in ms since the round began: decode or infer."""

    worker: int
    phase: str
    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All rounds of one number of runtimes, at least one.

    `decode` is exact or fast. `npu_cores` are those with a runtime, empty where the CPU does the
    work; `cpus` are the workers' CPUs, `coordinator_cpus` the coordinator's. `service_ms` is how
    long an inference takes a core: as the simulated NPU has it, or the median inference where no
    two runtimes share a core; else None. `percentiles` are 50, 90 and 99 per cent of the
    milliseconds an image spent, by phase (queue, decode, wait, infer, total; task if that is not
    classifying), over all rounds, and `means` their means; `distribution` counts the images by
    `total`, as (ms, images) pairs in rising order. `spans` are a short slice of one round. Memory
    is PSS: `helpers_mb` is what the farm's other processes have; a process whose memory can't be
    read has none.
    """

    runtimes: int
    decoders: int
    decode: str
    npu_cores: tuple[int, ...]
    cpus: tuple[int, ...]
    coordinator_cpus: tuple[int, ...]
    service_ms: float | None
    rounds: tuple[Round, ...]
    percentiles: dict[str, tuple[float, float, float]]
    means: dict[str, float]
    distribution: tuple[tuple[float, int], ...]
    spans: tuple[Span, ...]
    per_worker: dict[int, int]
    start_seconds: float
    coordinator_mb: float
    helpers_mb: float
    worker_mb: tuple[float, ...]
    failures: dict[str, int]
    losses: int
    left_out: tuple[int, ...]
    conditions: Conditions | None

    @property
    def average_ms(self) -> Spread:
        """Milliseconds per image over the rounds."""
        return Spread.of([each.average_ms for each in self.rounds])

    @property
    def cpu_ms(self) -> Spread:
        """CPU milliseconds per image over the rounds, all processes together."""
        return Spread.of([each.coordinator_cpu_ms + each.workers_cpu_ms for each in self.rounds])

    @property
    def memory_mb(self) -> float:
        """The PSS of all processes together."""
        return self.coordinator_mb + self.helpers_mb + sum(self.worker_mb)

    @property
    def saturation(self) -> tuple[float, ...]:
        """Each NPU core's busy share, the median of the rounds."""
        shares_by_round = [each.saturation for each in self.rounds]
        return tuple(median(shares) for shares in zip(*shares_by_round, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A figure that others published of the same SoC; `saturation` is None where they did not."""

    runtimes: int
    average_ms: float
    saturation: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole benchmark: what was measured, and on what; `sizes` in rising order.

    `npu_cores` is how many NPU cores there are to fill, 0 where the CPU does the work. `what` names
    the runtime, with the word SIMULATED where it is; `saturation_source` says where the busy shares
    are from. A round went over `images` images `repeat` times. `published_source` names who
    published `published`, of which model and images.
    `subject` says of what, `machine` maps names (CPU, kernel, Python, ...) to facts.
    """

    platform: str
    npu_cores: int
    what: str
    simulated: bool
    images: int
    repeat: int
    saturation_source: str
    sizes: tuple[Measured, ...]
    published: tuple[Published, ...]
    published_source: str
    subject: Subject
    machine: dict[str, str]
