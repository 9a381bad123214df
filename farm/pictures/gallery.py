"""A run's results as a gallery: cards and thumbnails as they come, the page at the end."""

from __future__ import annotations

import base64
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final
from urllib.parse import quote

from farm.errors import OutputError, WriterError
from farm.pictures.cards import as_card, named, shown, to_script
from farm.pictures.choice import Choice
from farm.pictures.draft import FLAG, Draft, files_of, unwritable
from farm.pictures.page import Head, write_page
from farm.pictures.pool import Pool
from farm.pictures.thumbnail import write_thumbnail
from farm.report.format import counted
from farm.report.subject import Subject
from farm.report.subject_text import all_facts
from farm.results.result import Result
from farm.results.stats import RunSummary
from farm.results.truth import Truth, right_label
from farm.system.log import LOG, tell_written
from farm.system.progress import sign_of_life
from farm.system.signals import Signals
from farm.system.terminal import printable

EMBEDDED: Final = 20_000_000  # bytes of a page with its pictures inside; a larger one has a folder
LOOK_SECONDS: Final = 0.2  # between two looks at the signals


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What is known at the end of a run: `facts` by name; `total` images, None if not known."""

    run: RunSummary
    facts: dict[str, str]
    total: int | None


class Gallery:
    """Writes a page of a run's results to `name` on leaving it, if that was summed up.

    After a first signal, thumbnails are waited for `seconds` more, after a second one not at all.
    Raises OutputError where the page can't be, or something is there and not to `overwrite`.
    """

    def __init__(
        self, name: Path, truth: Truth | None, signals: Signals, seconds: float, *, overwrite: bool
    ) -> None:
        self._ending: Ending | None = None
        self._name, self._truth, self._signals, self._seconds = name, truth, signals, seconds
        self._draft = Draft(name, overwrite=overwrite)
        self._cards = self._draft.cards.open("w+b")
        self._pool = Pool()
        self._choice = Choice()
        self._bytes: dict[int, int] = {}  # of each thumbnail that was made, 0 where there is none
        self._expected = 0  # thumbnails
        self._simulated = False
        self._labels: dict[int, str | None] = {}

    def __enter__(self) -> Gallery:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._draft:
            try:
                with self._cards:  # closing writes what is left
                    if self._ending is not None:
                        with sign_of_life(f"writing {self._name} ..."):
                            self._finish(self._ending, error)
                        tell_written(self._name)
            except (OSError, OutputError) as failed:
                told = unwritable(self._name, failed) if isinstance(failed, OSError) else failed
                if error is None:
                    raise told from failed
                LOG.warning(f"{told}")  # the first error is the one to end with
            finally:
                self._pool.drop()
                self._pool.close()

    def write(self, result: Result, _now: float, /) -> None:
        """See farm.results.writers.Writer."""
        right = right_label(result, self._truth)
        if not self._choice.takes(result, right):
            return
        try:
            self._cards.write(f"{to_script(as_card(result, right, self._name))}\n".encode())
            if result.path is not None:
                # What waits keeps nothing that is not needed.
                bare = replace(result, top5=None, objects=None, output=None)
                self._pool.put(partial(self._make_thumbnail, bare, self._choice.shown - 1))
                self._expected += 1
        except OSError as error:
            raise WriterError(f"{FLAG} {self._name}: cannot write: {error.strerror}") from error
        self._simulated = self._simulated or result.simulated
        self._labels |= {each.class_id: each.label for each in named(result)}

    def sum_up(
        self, run: RunSummary, what: Subject, machine: dict[str, str], total: int | None
    ) -> None:
        """See farm.cli.looks.Look."""
        self._ending = Ending(run=run, facts=all_facts(what, machine), total=total)

    def _make_thumbnail(self, result: Result, number: int) -> None:
        self._bytes[number] = write_thumbnail(result, self._draft.file(number))

    def _finish(self, ending: Ending, error: BaseException | None) -> None:
        self._await_thumbnails()
        self._cards.flush()
        sizes = list(self._bytes.values())  # a thread that was not waited for may add one
        inside = sum(4 * -(-size // 3) for size in sizes)  # as base64
        embedded = self._cards.tell() + inside <= EMBEDDED
        head = Head(
            run=ending.run,
            facts=ending.facts,
            simulated=self._simulated,
            notes=[*self._notes(ending, error)],
            data={
                "classes": {number: shown(number, label) for number, label in self._labels.items()},
                "folder": None if embedded else quote(files_of(self._name).name),
            },
        )
        write_page(self._draft.page, head, self._lines(embedded=embedded))
        self._draft.put_in_place(with_files=not embedded)

    def _await_thumbnails(self) -> None:
        until = math.inf
        while not self._pool.wait(LOOK_SECONDS):
            if self._signals.received:
                until = min(until, time.monotonic() + self._seconds)
            if len(self._signals.received) > 1 or time.monotonic() >= until:
                self._pool.drop()
                self._pool.wait(LOOK_SECONDS)
                return

    def _lines(self, *, embedded: bool) -> Iterator[str]:
        """Yield the cards with their thumbnails: what they are, or which."""
        self._cards.seek(0)
        for number, line in enumerate(self._cards):
            thumb = "null"
            if self._bytes.get(number):
                data = self._draft.file(number).read_bytes() if embedded else b""
                thumb = f'"{base64.b64encode(data).decode() if embedded else f"{number:06}.jpg"}"'
            yield f'{line.decode().rstrip()[:-1]},"thumb":{thumb}}}'

    def _notes(self, ending: Ending, error: BaseException | None) -> Iterator[str]:
        """Yield what a reader of the page must know."""
        done, total = ending.run.skipped + ending.run.ended, ending.total
        far = f"{done} images" if total is None else f"{done} of {total} images"
        if self._signals.received and done != total:
            yield f"The run was stopped by a signal after {far}."
        elif error is not None:
            yield f"The run broke off after {far}: {printable(str(error))}"
        if ending.run.skipped:
            yield f"{ending.run.skipped} of the images were done by earlier runs and are not here."
        if note := self._choice.note():
            yield note
        if lacking := self._expected - len(self._bytes):
            yield f"{counted(lacking, 'picture')} could not be made smaller in time."
