"""`size: auto`: the short form of a tune, at the start of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from farm.bench.trial import TrialOptions, trial
from farm.bench.tune_search import Choice, Trial
from farm.config.loader import checked
from farm.config.schema import FarmConfig
from farm.coordinator.notices import Tell
from farm.hardware.platforms import detect
from farm.report.size_choice import enough, multiples
from farm.scheduler.placement import choose_runtime, npu_cores, platform_of
from farm.sources.files import sample
from farm.sources.sample_images import COUNT, default_samples
from farm.system.signals import Signals
from workers.runtimes.base import SIMULATED

ROUND_SECONDS: Final = 0.5
ROUNDS: Final = 3


def decided(config: FarmConfig, tell: Tell, signals: Signals | None = None) -> FarmConfig:
    """Give `config` with a number for `size: auto`, or as it is if it has one.

    On the host it is one runtime per CPU. Else farms with one and with two runtimes per NPU core
    are measured on bundled sample images, about 2 s each, and the larger is taken if it is clearly
    faster; `tell` hears which, and why. After a signal it is the smaller. Raises what Farm raises.
    """
    if config.size != "auto":
        return config
    if config.core_count() is None:
        tell("size: auto: one runtime per CPU")
        return _sized(config, None)
    machine = detect()
    sizes = multiples(len(npu_cores(config, platform_of(config, machine))))[:2]
    refs, _ = sample((str(default_samples(tell)),), COUNT)
    options = TrialOptions(
        refs=refs, seconds=ROUND_SECONDS, rounds=ROUNDS, tell=lambda _: None, signals=signals
    )
    trials: list[Trial] = []
    for size in sizes:
        found = trial(_sized(config, size), options)
        if found is None:
            return _sized(config, sizes[0])
        trials.append(Trial(choice=Choice(size=size), measured=found))
    chosen = enough(trials)
    kind = ", simulated NPU" if choose_runtime(config, machine) == SIMULATED else ""
    tell(f"size: auto: {_words(trials, chosen)} (measured on bundled sample images{kind})")
    return _sized(config, chosen.choice.size)


def _words(trials: Sequence[Trial], chosen: Trial) -> str:
    """Which size it is, and what speaks for it."""
    ms = {trial.choice.size: trial.measured.average_ms.median for trial in trials}
    said = f"{chosen.choice.size}, at {ms.pop(chosen.choice.size):.2f} ms per image"
    return "; ".join([said, *(f"{size} take {each:.2f} ms" for size, each in ms.items())])


def _sized(config: FarmConfig, size: int | None) -> FarmConfig:
    return checked({**config.model_dump(exclude_unset=True), "size": size})
