"""An annotated copy of each image of a run, drawn beside it by threads of their own."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, wait
from functools import partial
from typing import Final, Protocol

import cv2

from farm.errors import InterruptedWriteError, OutputError, WriterError
from farm.pictures.copies import Copies, NoCopyError
from farm.pictures.draw import annotated
from farm.pictures.encode import encoded, suffixes
from farm.pictures.fonts import Fonts, advice
from farm.pictures.pool import MOST_THREADS, Pool
from farm.pictures.reread import is_changed
from farm.report.format import counted
from farm.results.result import Result
from farm.system.fd_writer import WriteDeadline
from farm.system.log import LOG
from farm.system.terminal import printable
from workers.errors import ImageError
from workers.images.file_reader import read
from workers.images.preprocess import MAX_BYTES, decode

MOST_PENDING: Final = 2 * MOST_THREADS  # results that wait for their copies
LOOK_SECONDS: Final = 0.2  # between two looks at the signals


class Results(Protocol):
    """The results of a run; `submitted` is how many items it has taken so far."""

    @property
    def submitted(self) -> int:
        """See farm.api.run.Run."""

    def __iter__(self) -> Iterator[Result]:
        """Give each as it comes."""


class Annotator:
    """Writes to `copies` what each result says of its image.

    `written` counts the copies. `lacking` counts the images that were answered and have none, and
    `first_lacking` says which was the first and why.
    """

    def __init__(self, copies: Copies, deadline: WriteDeadline) -> None:
        self.written = self.lacking = self.failed = 0
        self.first_lacking = ""
        self._copies, self._deadline = copies, deadline
        self._fonts = Fonts()

    def beside(self, results: Results) -> Iterator[Result]:
        """Yield the results in their order, each once its copy is written.

        Raises WriterError if one can't be written, InterruptedWriteError as the deadline says.
        """
        pending: deque[tuple[Result, Future[bool]]] = deque()
        taken, pool = 0, Pool()
        try:
            for result in results:
                taken += 1
                pending.append((result, self._put(pool, result)))
                # All that was submitted is here: the next one may be long in coming.
                idle = taken == results.submitted
                while pending and (idle or len(pending) > MOST_PENDING or pending[0][1].done()):
                    yield self._next(pending)
            while pending:
                yield self._next(pending)
        finally:
            pool.drop()
            pool.close()

    def tell(self) -> None:
        """Log what has been written, what has not, and what its names lack."""
        if self.written or self.failed:
            folder, copied = self._copies.folder, counted(self.written, "image")
            none = f"; none of {counted(self.failed, 'image')} with an error" if self.failed else ""
            told = {"event": "written", "file": f"{folder}", "images": self.written}
            LOG.info(f"Written: {folder}, copies of {copied}{none}", extra=told)
        if self.lacking:
            lacking = counted(self.lacking, "image")
            LOG.warning(f"no annotated copy of {lacking}; the first: {self.first_lacking}")
        if (advised := advice(self._fonts.missing)) is not None:
            LOG.warning(advised)

    def _put(self, pool: Pool, result: Result) -> Future[bool]:
        """Have a result's copy made, if it has an answer; return what tells if there is one."""
        future: Future[bool] = Future()
        if result.error is not None or result.path is None:
            self.failed += 1
            future.set_result(False)
        else:
            pool.put(partial(self._keep, result, future))
        return future

    def _next(self, pending: deque[tuple[Result, Future[bool]]]) -> Result:
        """Wait for the copy of the first result, and take that result out."""
        result, future = pending[0]
        while not future.done():
            left = self._deadline.left()
            if left is not None and left <= 0:
                raise InterruptedWriteError(
                    f"copies not yet drawn, and their results, are dropped: {len(pending)}"
                )
            wait([future], min(LOOK_SECONDS, LOOK_SECONDS if left is None else left))
        pending.popleft()
        try:
            self.written += future.result()
        except NoCopyError as error:
            self.lacking += 1
            self.first_lacking = self.first_lacking or f"{printable(result.path or '')}: {error}"
        return result

    def _keep(self, result: Result, future: Future[bool]) -> None:
        """Copy, and keep how that went for the thread that waits."""
        try:
            future.set_result(self._copy(result, result.path or ""))
        except BaseException as error:
            future.set_exception(error)

    def _copy(self, result: Result, path: str) -> bool:
        """Write the copy of an image, and return whether it had none before."""
        try:
            data = read(os.fsencode(path), MAX_BYTES)
            place = self._copies.place(path, suffixes(data))
            if place is None:
                return False
            image, size = decode(data)
            if is_changed(result, path, size):
                raise NoCopyError("it has changed since it was read")
            made = encoded(annotated(image, result, self._fonts), data)
        except (ImageError, OSError, MemoryError, cv2.error) as error:
            raise NoCopyError(str(error) or "not enough memory") from error
        try:
            self._copies.write(place, made, path)
        except OutputError as error:
            raise WriterError(f"{error}") from error
        return True
