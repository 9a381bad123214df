"""`npu-farm tune`: trial after trial until the plateau, then the config with what was chosen."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from farm.bench import tune_table as tunetable
from farm.bench.bench import with_some_npu
from farm.bench.sweep import what_ran
from farm.bench.trial import TrialOptions, changed, trial
from farm.bench.tune_search import Choice, SearchSpace, Trial, next_choice, space, stages
from farm.config.editor import read_values, set_values
from farm.config.loader import PATH_KEYS
from farm.config.schema import FarmConfig
from farm.errors import EXIT_OK, EXIT_SIGNAL_BASE, EXIT_SOME_FAILED, ConfigError, SourceError
from farm.hardware.platforms import HOST, detect
from farm.report import text_table as table
from farm.report.size_choice import enough
from farm.scheduler.placement import FarmPlan, plan
from farm.sources import files as sources
from farm.sources.base import Ref
from farm.sources.sample_images import choose_targets
from farm.system.atomic_file import atomic_write
from farm.system.log import LOG, for_several_farms
from farm.system.signals import Signals
from farm.system.stdio import STDIN
from workers.runtimes.base import ONNX

ROUND_SECONDS: Final = 1.0
ROUNDS: Final = 3
IMAGES: Final = 500  # at most; all of them, several times a round or in part, as it comes


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The config's file, what to go over (empty: what the config says), where to write.

    `output` None is the config's own file, if what was measured is what it is for.
    """

    config: Path
    images: tuple[str, ...]
    output: Path | None


class Tune:
    """The trials of one config, shown as they end."""

    def __init__(self, config: FarmConfig, refs: list[Ref], signals: Signals) -> None:
        self._config, self._signals = config, signals
        self.space: SearchSpace = space(config, detect())
        self.trials: list[Trial] = []
        self._manner = TrialOptions(
            refs=refs,
            seconds=ROUND_SECONDS,
            rounds=ROUNDS,
            log=for_several_farms(),
            signals=signals,
        )

    def run(self) -> Choice | None:
        """Go on to the plateau, and give what is enough; None after a signal."""
        print(tunetable.head(), flush=True)
        while (choice := next_choice(self.space, self.trials)) is not None:
            found = trial(changed(self._config, choice), self._manner)
            if found is None:
                return None
            self.trials.append(Trial(choice=choice, measured=found))
            print(tunetable.row(self.trials[-1]), flush=True)
            if self._signals.received:
                return None
        return enough(stages(self.space, self.trials)[-1].trials).choice

    @property
    def whole(self) -> bool:
        """Whether all workers lived and no NPU core was left out."""
        return not any(each.measured.losses or each.measured.left_out for each in self.trials)

    def conditions(self) -> list[str]:
        """What makes the figures others than they should be."""
        found = [said for each in self.trials for said in table.troubles(each.measured)]
        return list(dict.fromkeys(found))


def tune(config: FarmConfig, request: Request) -> int:
    """Try, tell, write; gives the exit code. What fails or is stopped leaves the file alone."""
    config = with_some_npu([config])[0]
    planned = plan(config, detect(), "(none)")
    objection = _objection(planned)
    target = request.output or (request.config.resolve() if objection is None else None)
    refs = _images(config, request.images)
    if target is not None:
        _check(request, target)
    print(f"{planned.platform.name}, {what_ran(planned)}, {len(refs)} images over and over\n")
    with Signals() as signals:
        work = Tune(config, refs, signals)
        chosen = _run(work, simulated=planned.simulated)
    if chosen is None:
        return EXIT_SIGNAL_BASE + signals.received[0]
    if not work.whole:
        LOG.info("workers were lost or NPU cores left out: mend that first; nothing is written")
        return EXIT_SOME_FAILED
    if objection is not None:
        LOG.info(objection)
    _write(request, target, _changes(config, planned, chosen))
    return EXIT_OK


def _run(work: Tune, *, simulated: bool) -> Choice | None:
    """Run it, and say what is best so far, however it ends; None after a signal."""
    chosen = None
    try:
        chosen = work.run()
    finally:
        reasons = tunetable.why(stages(work.space, work.trials), simulated=simulated)
        print("\n".join(["", *work.conditions(), *reasons]), flush=True)
        if chosen is None:
            LOG.info("the tune did not come to its end: nothing is written")
    return chosen


def _objection(planned: FarmPlan) -> str | None:
    """Why this says nothing about what the config is for; None where it does."""
    soc = planned.platform.name
    if planned.simulated:
        return f"simulated: this measured how fast this machine decodes, not an {soc}"
    if planned.runtime == ONNX and soc != HOST:
        return f"this measured ONNX Runtime on this machine's CPU, not an {soc}'s NPU"
    return None


def _images(config: FarmConfig, given: tuple[str, ...]) -> list[Ref]:
    names = choose_targets(config, given)
    if STDIN in names:
        raise SourceError("a tune goes over its images more than once: name a folder or files")
    refs, count = sources.sample(names, IMAGES)
    if not refs:
        raise SourceError(f"{', '.join(names)}: no images in it")
    if count > len(refs):
        LOG.info(f"measuring with {len(refs)} of {count} images, evenly spread")
    return refs


def _check(request: Request, target: Path) -> None:
    """Raise now what would keep the result from being written in the end."""
    _edited(request, target, {"size": 1, "decoders": 1, "decoder_cpu": "same"})
    with atomic_write(target, _flag(request)):
        pass


def _changes(config: FarmConfig, planned: FarmPlan, chosen: Choice) -> dict[str, Any]:
    """The keys whose value would be another."""
    size = len(planned.workers) if config.size is None else config.size
    said = {"size": size, "decoders": config.decoders, "decoder_cpu": config.decoder_cpu}
    new = {key: getattr(chosen, key) for key in said}
    return {key: value for key, value in new.items() if value != said[key]}


def _write(request: Request, target: Path | None, values: dict[str, Any]) -> None:
    """Write the text with these values to `target`, and show the lines that change."""
    before, after = _edited(request, target or request.config, values)
    old, new = before.splitlines(), after.splitlines()
    for line in [line for line in old if line not in new]:
        print(f"- {line}")
    for line in [line for line in new if line not in old]:
        print(f"+ {line}")
    if target is None:
        LOG.info("nothing is written; -o FILE writes it all the same")
    elif before == after and request.output is None:
        LOG.info(f"{request.config} says so already")
    else:
        with atomic_write(target, _flag(request)) as part:
            part.write_bytes(after.encode())
            if part != target:
                shutil.copymode(request.config, part)
        LOG.info(f"written to {request.output or request.config}")


def _edited(request: Request, target: Path, values: dict[str, Any]) -> tuple[str, str]:
    """The config's text, and the one for `target`: paths are taken from a file's own folder."""
    try:
        text = request.config.read_bytes().decode()
        return text, set_values(text, {**_moved(text, request.config, target), **values})
    except ConfigError as error:
        raise ConfigError(f"{request.config}: {error}") from error


def _moved(text: str, config: Path, target: Path) -> dict[str, str]:
    here, there = config.parent.resolve(), target.parent.resolve()
    paths = {key: value for key, value in read_values(text).items() if key in PATH_KEYS}
    return {
        key: os.path.relpath(here / value, there)
        for key, value in paths.items()
        if here != there and isinstance(value, str) and not os.path.isabs(value)
    }


def _flag(request: Request) -> str:
    return "CONFIG" if request.output is None else "-o"
