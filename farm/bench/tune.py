"""`npu-farm tune`: one trial after the other, then the config with what was chosen."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from farm.bench import tune_table as tunetable
from farm.bench.bench import with_some_npu
from farm.bench.subject import subject
from farm.bench.sweep import runtime_name
from farm.bench.trial import TrialOptions, changed, trial
from farm.bench.tune_search import Choice, Trial, search, space
from farm.bench.tuned_config import TunedConfig
from farm.config.bundled import FOLDER, find_config
from farm.config.schema import FarmConfig
from farm.errors import EXIT_OK, EXIT_SIGNAL_BASE, EXIT_SOME_FAILED, SourceError
from farm.hardware.platforms import HOST, detect
from farm.report import text_table as table
from farm.report.bottleneck_text import disturbance
from farm.report.size_choice import enough
from farm.report.utilization import others_share
from farm.scheduler.placement import FarmPlan, plan
from farm.sources import files as sources
from farm.sources.base import Ref
from farm.sources.sample_images import choose_targets
from farm.system.colour import coloured
from farm.system.log import LOG, for_several_farms
from farm.system.progress import Clock
from farm.system.signals import Signals
from farm.system.stdio import STDIN
from farm.system.terminal import width_of, wrapped
from workers.runtimes.base import ONNX
from workers.runtimes.model_file import digest_of

ROUND_SECONDS: Final = 1.0
ROUNDS: Final = 3
TRIAL_SECONDS: Final = 4.0  # about, with the start of a farm and its warm-up
IMAGES: Final = 500  # at most; a round repeats them, or ends before the last


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The config's name, the images (empty: those of the config), where to write.

    `output` None is the config's own file, if the figures apply to its platform.
    """

    config: str
    images: tuple[str, ...]
    recursive: bool
    output: Path | None


class Tune:
    """The trials of one config, shown as they end."""

    def __init__(
        self, config: FarmConfig, refs: list[Ref], signals: Signals, *, simulated: bool
    ) -> None:
        self._config, self._signals, self._simulated = config, signals, simulated
        self._space = space(config, detect())
        self.trials: list[Trial] = []
        self._begun = time.monotonic()
        self._options = TrialOptions(
            refs=refs,
            seconds=ROUND_SECONDS,
            rounds=ROUNDS,
            log=for_several_farms(),
            signals=signals,
        )

    def run(self) -> Choice | None:
        """Try until nothing is left to learn, and return what is enough; None after a signal.

        What is best so far is printed, however it ends. Raises what Farm raises.
        """
        chosen, width = None, width_of(sys.stdout)
        print(tunetable.head(width), flush=True)
        try:
            while (at := search(self._space, self.trials)).next_choice is not None:
                config = changed(self._config, at.next_choice)
                found = trial(config, self._options, self._clock(at.left))
                if found is None:
                    break
                self.trials.append(Trial(choice=at.next_choice, measured=found))
                print(tunetable.row(self.trials[-1], width), flush=True)
                if self._signals.received:
                    break
            else:
                chosen = enough(at.stages[-1].trials).choice
        finally:
            self.show_best()
            if chosen is None:
                LOG.info("the tune is incomplete: nothing is written")
        return chosen

    def _clock(self, left: int) -> Clock:
        """Return how long all has taken, and about how long `left` more trials will take."""
        passed = time.monotonic() - self._begun
        each = passed / len(self.trials) if self.trials else TRIAL_SECONDS
        return Clock(passed=passed, left=each * left)

    def show_best(self) -> None:
        """Print what distorts the figures, and what is best so far."""
        found = [said for each in self.trials for said in table.troubles(each.measured)]
        found += self.disturbance
        best = tunetable.why(search(self._space, self.trials).stages, simulated=self._simulated)
        lines = wrapped(["", *dict.fromkeys(found), *best], width_of(sys.stdout))
        print(coloured("\n".join(lines), sys.stdout), flush=True)

    @property
    def disturbance(self) -> tuple[str, ...]:
        """What is said of other programs that used the CPUs in a trial, if it was much."""
        return disturbance(max([others_share(each.measured) for each in self.trials], default=0.0))

    @property
    def whole(self) -> bool:
        """Whether all workers lived and no NPU core was left out."""
        return not any(each.measured.losses or each.measured.left_out for each in self.trials)


def tune(config: FarmConfig, request: Request) -> int:
    """Measure, print, write; return the exit code. A failure or a signal leaves the file alone."""
    config = with_some_npu([config])[0]
    planned = plan(config, detect(), "(none)")
    file = find_config(request.config)
    objection = _objection(planned, file)
    written = TunedConfig(config=file, output=request.output, writes=objection is None)
    written.check()
    names = choose_targets(config, request.images)
    refs = _images(names, recursive=request.recursive)
    model = planned.workers[0].model
    digest = digest_of(model) if model else ""
    what = subject(config, planned, names, name=request.config, digest=digest)
    print("\n".join(table.what(what, width_of(sys.stdout))))
    print(f"{planned.platform.name}, {runtime_name(planned)}, {len(refs)} images, repeated\n")
    with Signals() as signals:
        work = Tune(config, refs, signals, simulated=planned.simulated)
        chosen = work.run()
    if chosen is None:
        return EXIT_SIGNAL_BASE + signals.received[0]
    if not work.whole:
        LOG.info("workers were lost or NPU cores left out: fix that first; nothing is written")
        return EXIT_SOME_FAILED
    if objection is not None:
        LOG.info(objection)
    elif work.disturbance:
        LOG.info("the size may be chosen by chance: other programs used the CPUs")
        written = replace(written, writes=False)
    size = len(planned.workers) if config.size is None else config.size
    now = {"size": size, "decoders": config.decoders, "decoder_cpu": config.decoder_cpu}
    written.write({key: new for key in now if (new := getattr(chosen, key)) != now[key]})
    return EXIT_OK


def _objection(planned: FarmPlan, config: Path) -> str | None:
    """Return why the config must stay as it is: the figures do not apply, or it is bundled."""
    soc = planned.platform.name
    if planned.simulated:
        return f"simulated: this measured how fast this machine decodes, not an {soc}"
    if planned.runtime == ONNX and soc != HOST:
        return f"this measured ONNX Runtime on this machine's CPU, not an {soc}'s NPU"
    if config.parent == FOLDER:
        return f"{config.stem}: the bundled configs stay as they are"
    return None


def _images(names: tuple[str, ...], *, recursive: bool) -> list[Ref]:
    """Return images to measure with; raise SourceError if there are none or they come only once."""
    if STDIN in names:
        raise SourceError("a tune reads its images more than once: name a folder or files")
    refs, count = sources.sample(names, IMAGES, recursive=recursive)
    if not refs:
        raise SourceError(f"{', '.join(names)}: no images in it")
    if count > len(refs):
        LOG.info(f"measuring with {len(refs)} of {count} images, evenly spread")
    return refs
