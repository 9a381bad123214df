"""What a benchmark measures, so that others can measure the same."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from farm.config.schema import FarmConfig
from farm.report.data import Subject
from farm.scheduler.placement import FarmPlan
from workers.runtimes.model_file import digest_of

NOT_COMPARED = {"model", "images", "size"}  # these are named beside the config


def subject(config: FarmConfig, plan: FarmPlan, images: tuple[str, ...]) -> Subject:
    """Return what a farm of this plan measures with `images`; raise RuntimeFailure as digest_of.

    The command line is this process's.
    """
    program, *arguments = sys.argv
    name = "npu-farm" if program.endswith(".py") else Path(program).name
    model = plan.workers[0].model
    return Subject(
        model=model,
        model_sha256=digest_of(model) if model else "",
        model_bytes=Path(model).stat().st_size if model else 0,
        images=images,
        config=config.model_dump(mode="json", exclude=NOT_COMPARED),
        command=shlex.join([name, *arguments]),
    )
