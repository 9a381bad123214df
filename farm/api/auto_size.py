"""`size: auto`: the number of runtimes, decided by a short measurement when a farm goes up."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import cycle, takewhile
from statistics import median
from typing import Final, Protocol

from farm.config.loader import validate
from farm.config.schema import FarmConfig
from farm.errors import InterruptedStartError
from farm.hardware.platforms import detect
from farm.report.data import Spread
from farm.report.size_choice import enough, multiples
from farm.results.result import Result
from farm.results.stats import Stats
from farm.scheduler.placement import choose_runtime, npu_cores, platform_of
from farm.sources.base import IterableSource, Ref, Source
from farm.sources.files import sample
from farm.sources.sample_images import COUNT, default_samples
from farm.system.log import SILENT
from farm.system.signals import Signals
from workers.protocol.spec import DETECT
from workers.runtimes.base import SIMULATED

ROUND_SECONDS: Final = 0.5
ROUNDS: Final = 3  # after one that does not count: the first run of a model is slower


class Runs(Protocol):
    """A farm that is up, as far as it is measured here."""

    def run(self, source: Source, /) -> Iterable[Result]:
        """Answer what `source` returns."""


class OpenFarm(Protocol):
    """Makes a farm of a config, to be used in a `with` block."""

    def __call__(
        self, config: FarmConfig, /, *, log: logging.Logger, signals: Signals | None
    ) -> AbstractContextManager[Runs]:
        """Make the farm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What a farm of `size` runtimes took, in wall-clock milliseconds per image."""

    size: int
    average_ms: Spread


def decide(
    config: FarmConfig, open_farm: OpenFarm, log: logging.Logger, signals: Signals | None
) -> FarmConfig:
    """Return a config of `size: auto` with a number for it; `log` gets which, and why.

    On the host it is one runtime per CPU. Else farms with one and with two runtimes per NPU core
    are measured on bundled sample images, about 2 s each, and the larger is taken if it is clearly
    faster. A slow model takes longer: what was read ahead is waited for. After a signal it is the
    smaller. Raises what such a farm raises.
    """
    values, told = config.model_dump(exclude_unset=True), {"event": "size_decided"}
    if config.core_count() is None:
        log.warning("size: auto: one runtime per CPU", extra=told)
        return validate({**values, "size": None})
    machine = detect()
    sizes = multiples(len(npu_cores(config, platform_of(config, machine))))[:2]
    refs, _ = sample((str(default_samples(scenes=config.task == DETECT)),), COUNT)
    timings: list[Timing] = []
    for size in sizes:
        sized = validate({**values, "size": size})
        try:
            with open_farm(sized, log=SILENT, signals=signals) as farm:
                rounds = [_ms_per_image(farm, refs) for _ in range(1 + ROUNDS)][1:]
        except InterruptedStartError:
            pass  # the farm itself will say so
        if signals is not None and signals.received:
            return validate({**values, "size": sizes[0]})
        average = Spread(median=median(rounds), lowest=min(rounds), highest=max(rounds))
        timings.append(Timing(size=size, average_ms=average))
    chosen = enough(timings)
    others = (f"; {t.size} take {t.average_ms.median:.2f} ms" for t in timings if t is not chosen)
    simulated = ", simulated NPU" if choose_runtime(config, machine) == SIMULATED else ""
    log.warning(
        f"size: auto: {chosen.size}, at {chosen.average_ms.median:.2f} ms per image"
        f"{''.join(others)} (measured on bundled sample images{simulated})",
        extra=told,
    )
    return validate({**values, "size": chosen.size})


def _ms_per_image(farm: Runs, refs: list[Ref]) -> float:
    """Return the wall-clock milliseconds per image of one round.

    Raises SourceError with the first failure if every image ended in an error.
    """
    begun = time.monotonic()
    until = begun + ROUND_SECONDS
    images = takewhile(lambda _: time.monotonic() < until, cycle(refs))
    stats = Stats()
    for result in farm.run(IterableSource(images)):
        stats.count(result)
    stats.check_ok("size: auto")
    return stats.summary(seconds=time.monotonic() - begun).average_ms
