"""What a run makes to look at, beside its results: the page of --html."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Protocol

from farm.config.schema import FarmConfig
from farm.report.subject import Subject
from farm.results.stats import RunSummary
from farm.results.truth import Truth
from farm.results.writers import Writer
from farm.system.signals import Signals

if TYPE_CHECKING:  # a run without these loads nothing for them
    from farm.cli.run import Request


class Look(Writer, Protocol):
    """Takes results, and in the end what the run was."""

    def sum_up(
        self, run: RunSummary, what: Subject, machine: dict[str, str], total: int | None
    ) -> None:
        """Take what is known at the end: of how many images (None: unknown), where, of what."""


@contextmanager
def open_looks(
    config: FarmConfig, request: Request, truth: Truth | None, signals: Signals
) -> Iterator[tuple[Look, ...]]:
    """Open what `request` asks for; it is finished on leaving the block. Raises OutputError."""
    looks: list[Look] = []
    with ExitStack() as stack:
        if request.html is not None:
            from farm.pictures.gallery import Gallery
            from farm.pictures.reread import prepare

            prepare(config.max_pixels)
            seconds, overwrite = config.drain_seconds, request.overwrite
            gallery = Gallery(request.html, truth, signals, seconds, overwrite=overwrite)
            looks.append(stack.enter_context(gallery))
        yield tuple(looks)
