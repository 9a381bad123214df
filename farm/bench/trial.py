"""A short measurement of one farm: rounds that end by the clock, however slow the model is."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle

from farm.api import Farm
from farm.bench.measure import measure
from farm.bench.tune_search import Choice
from farm.config.loader import validate
from farm.config.schema import FarmConfig
from farm.errors import InterruptedStartError
from farm.report.data import Measured
from farm.sources.base import IterableSource, Ref
from farm.system.progress import Clock, starting, timing
from farm.system.signals import Signals
from farm.watch.below_bar import BelowBar


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialOptions:
    """How to measure: `rounds` of `seconds` each, in which `refs` are repeated."""

    refs: Sequence[Ref]
    seconds: float
    rounds: int
    log: logging.Logger
    signals: Signals


def trial(config: FarmConfig, options: TrialOptions, clock: Clock) -> Measured | None:
    """Measure the farm of `config`; None if a signal came before a round was complete.

    `clock` tells how far all trials are. Raises what `measure` and Farm raise.
    """

    def images() -> IterableSource:
        return IterableSource(_repeated(options.refs, options.seconds))

    def signalled() -> bool:
        return bool(options.signals.received)

    found, what = None, f"size {config.size}, decoders {config.decoders}"
    with (
        suppress(InterruptedStartError),
        Farm(config, log=options.log, signals=options.signals, starting=starting) as farm,
        timing(what, clock, BelowBar(farm.snapshot)) as progress,
    ):
        found = measure(farm, images, rounds=options.rounds, stopped=signalled, progress=progress)
    return found


def changed(config: FarmConfig, choice: Choice) -> FarmConfig:
    """Return `config` with what was chosen."""
    keys = {key: getattr(choice, key) for key in Choice.__dataclass_fields__}
    return validate({**config.model_dump(exclude_unset=True), **keys})


def _repeated(refs: Sequence[Ref], seconds: float) -> Iterator[Ref]:
    until = time.monotonic() + seconds
    for ref in cycle(refs):
        yield ref  # one at least, however slow the machine is
        if time.monotonic() >= until:
            return
