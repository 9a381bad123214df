"""What a run or a benchmark works on, so that others can do the same."""

from __future__ import annotations

from pathlib import Path

from farm.config.schema import FarmConfig
from farm.hardware.environment import command_line
from farm.report.subject import Subject
from farm.scheduler.placement import FarmPlan
from workers.errors import RuntimeFailure
from workers.protocol.spec import CLASSIFY

NOT_COMPARED = {"model", "images", "size"}  # these are named beside the config


def subject(  # noqa: PLR0913 - what tells one measurement from another
    config: FarmConfig,
    plan: FarmPlan,
    images: tuple[str, ...],
    *,
    name: str,
    digest: str,
    reading: str = "",
) -> Subject:
    """Return what a farm of this plan works on with `images`; the command line is this process's.

    `name` is the config as it was named, `digest` the SHA-256 of the model, `reading` how
    the task reads its outputs, if that is known. Raises RuntimeFailure
    if the model is gone.
    """
    model = plan.workers[0].model
    try:
        size = Path(model).stat().st_size if model else 0
    except OSError as error:
        raise RuntimeFailure(f"{model}: cannot read the model: {error.strerror}") from error
    read_as = f", outputs read as {reading}" if reading else ""
    return Subject(
        model=model,
        model_sha256=digest,
        model_bytes=size,
        images=images,
        config_name=name,
        config=config.model_dump(mode="json", exclude=NOT_COMPARED),
        command=command_line(),
        task="" if config.task == CLASSIFY else config.task + read_as,
    )
