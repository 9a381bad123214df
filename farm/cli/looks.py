"""What a run makes to look at, beside its results: a page, annotated copies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from farm.pictures.reread import prepare
from farm.report.subject import Subject
from farm.results.result import Result
from farm.results.stats import RunSummary
from farm.results.truth import Truth
from farm.results.writers import Writer
from farm.system.fd_writer import WriteDeadline
from farm.system.signals import Signals

if TYPE_CHECKING:  # a run without these loads nothing for them
    from farm.cli.request import Request
    from farm.pictures.annotate import Annotator, Results


class Look(Writer, Protocol):
    """Takes results, and in the end what the run was."""

    def sum_up(
        self, run: RunSummary, what: Subject, machine: dict[str, str], total: int | None
    ) -> None:
        """Take what is known at the end: of how many images (None: unknown), where, of what."""


@dataclass(frozen=True, slots=True)
class Looks:
    """The `pages` of a run, of which there is one or none, and who makes its annotated copies."""

    pages: tuple[Look, ...]
    annotator: Annotator | None

    def beside(self, results: Results) -> Iterable[Result]:
        """Yield the results, each once it has its copy; raises as Annotator.beside does."""
        return results if self.annotator is None else self.annotator.beside(results)

    @property
    def lacking(self) -> bool:
        """Whether a copy that should be there is not."""
        return self.annotator is not None and self.annotator.lacking > 0


@contextmanager
def open_looks(
    request: Request, truth: Truth | None, signals: Signals, *, seconds: float, max_pixels: int
) -> Iterator[Looks]:
    """Open what `request` asks for; it is finished on leaving the block. Raises OutputError.

    After a signal, that may take `seconds`. Pictures are read as by a farm with `max_pixels`.
    """
    pages: list[Look] = []
    annotator = None
    with ExitStack() as stack:
        if request.html is not None or request.annotate is not None:
            prepare(max_pixels)
        if request.annotate is not None:
            from farm.pictures.annotate import Annotator
            from farm.pictures.copies import Copies

            again = request.overwrite or request.resume
            copies = Copies(
                request.annotate, request.targets, again=again, recursive=request.recursive
            )
            stack.callback(copies.close)
            annotator = Annotator(copies, WriteDeadline(signals, seconds))
            stack.callback(annotator.tell)
        if request.html is not None:
            from farm.pictures.gallery import Gallery

            overwrite = request.overwrite
            gallery = Gallery(request.html, truth, signals, seconds, overwrite=overwrite)
            pages.append(stack.enter_context(gallery))
        yield Looks(tuple(pages), annotator)
