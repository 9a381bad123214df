"""Which size, decoders and decoder CPUs to try next, and which of those tried is enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from farm.config.schema import MOST_RUNTIMES, FarmConfig
from farm.hardware.platforms import Machine
from farm.report.data import Measured, Spread
from farm.report.size_choice import enough, multiples
from farm.scheduler.placement import choose_cpus, npu_cores, platform_of

PATIENCE: Final = 2  # so many sizes in a row that gain nothing are a plateau
AUTO: Final = "auto"
SAME: Final = "same"

Decoders: TypeAlias = Literal["auto"] | int


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The keys of a config that a tune chooses; the fields are named as the keys."""

    size: int
    decoders: Decoders = AUTO
    decoder_cpu: str = SAME


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSpace:
    """What there is to choose from: rising sizes, and kinds of decoder CPUs, "same" first.

    `cpus` is how many CPUs the workers have: so many decoder threads are "auto".
    """

    sizes: tuple[int, ...]
    cpus: int
    decoder_cpus: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A choice and what was measured of it; at least one image has an answer."""

    choice: Choice
    measured: Measured

    @property
    def average_ms(self) -> Spread:
        """Milliseconds per image over the rounds."""
        return self.measured.average_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The trials between which one key's value is chosen, cheapest first."""

    key: str
    trials: tuple[Trial, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How far a search has come: its `stages` so far, what to try next, None at its end.

    At most `left` trials are still to come.
    """

    stages: tuple[Stage, ...]
    next_choice: Choice | None
    left: int


def space(config: FarmConfig, machine: Machine) -> SearchSpace:
    """Return what can be tried for `config` on this machine; raise ConfigError as `plan` does."""
    platform = platform_of(config, machine)
    cpus, _ = choose_cpus("cpu", config, platform, machine)
    on_cpu = config.core_count() is None
    sizes = doubling(len(cpus)) if on_cpu else multiples(len(npu_cores(config, platform)))
    kinds = [SAME]
    fast, slow = (set(kind).intersection(machine.cpus) for kind in (platform.fast, platform.slow))
    if fast and slow and fast != slow:  # decoders can have CPUs to themselves
        kinds += [kind for kind in ("slow", "all", "fast") if kind != config.cpu]
    return SearchSpace(sizes=sizes, cpus=len(cpus), decoder_cpus=tuple(kinds))


def doubling(cpus: int) -> tuple[int, ...]:
    """Return 1, 2, 4 and so on, up to one runtime per CPU."""
    most = min(cpus, MOST_RUNTIMES)
    return (*(1 << n for n in range(most.bit_length()) if 1 << n < most), most)


def search(space: SearchSpace, trials: Sequence[Trial]) -> Search:
    """Return what `trials` have decided, key by key, and what to try next."""
    known = {trial.choice: trial for trial in trials}
    at = Choice(size=space.sizes[0])
    passed: list[Stage] = []
    for key in ("size", "decoders", "decoder_cpu"):
        ladder = _ladder(key, space, at)
        done = tuple(known[choice] for choice in ladder if choice in known)
        if done:
            passed.append(Stage(key=key, trials=done))
        plateau = len(done) > PATIENCE and enough(done) in done[:-PATIENCE]
        if len(done) < len(ladder) and not (key == "size" and plateau):
            left = len(ladder) - len(done) + _most_after(key, space)
            return Search(stages=tuple(passed), next_choice=ladder[len(done)], left=left)
        at = enough(done).choice
    return Search(stages=tuple(passed), next_choice=None, left=0)


def _most_after(key: str, space: SearchSpace) -> int:
    """Return how many trials there are at most for the keys after `key`."""
    kinds = len(space.decoder_cpus) - 1  # the first one was tried with the key before
    return {"size": 2 + kinds, "decoders": kinds, "decoder_cpu": 0}[key]


def _ladder(key: str, space: SearchSpace, at: Choice) -> list[Choice]:
    """Return `at` with each value that `key` can have, cheapest first."""
    if key == "size":
        return [replace(at, size=size) for size in space.sizes]
    if key == "decoders":
        automatic = -(-space.cpus // at.size)
        return [at, *(replace(at, decoders=n) for n in (1, 2) if n != automatic)]
    return [replace(at, decoder_cpu=kind) for kind in space.decoder_cpus]
