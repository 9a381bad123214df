"""What all routes share: the farm behind them, its limits, whether it is ready."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from farm.api import Farm
from farm.config.schema import FarmConfig
from farm.errors import BusyError, FarmError
from farm.results.result import Result
from farm.scheduler.lifecycle import State
from farm.serving.last_results import LastResults
from farm.serving.limits import MB, Limits
from farm.watch.snapshot import Snapshot
from farm.watch.viewer import Viewer

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# No path: a client must not name a file of ours.
Image: TypeAlias = "bytes | npt.NDArray[np.uint8]"
LONGEST_RETRY: Final = 60  # seconds


class RequestError(FarmError):
    """A request that gets no answer: with a `status` of HTTP, and a `kind` for programs."""

    def __init__(
        self, status: int, kind: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.kind, self.headers = status, kind, dict(headers or {})

    def as_dict(self) -> dict[str, str]:
        """Return what a result with an error has, too."""
        return {"kind": self.kind, "message": str(self)}


class Service:
    """A farm that is up, as HTTP shows it under a `name`.

    Used by the thread of the event loop alone. `snapshot` is the farm's last one. Once it is
    `draining`, it takes nothing in. `outstanding` images wait or are with the workers, for requests
    whose bodies have `held_bytes` together.
    """

    def __init__(self, farm: Farm, *, name: str, limits: Limits, thumbnails: bool) -> None:
        self.farm, self.name, self.limits = farm, name, limits
        self.last_results = LastResults(self.config.max_pixels, thumbnails=thumbnails)
        self.snapshot: Snapshot | None = None
        self.draining = False
        self.outstanding = self.held_bytes = 0
        self._futures: set[asyncio.Future[Result]] = set()

    @property
    def config(self) -> FarmConfig:
        """The farm's config."""
        return self.farm.config

    @property
    def ready(self) -> bool:
        """Whether a worker is up, and requests are taken in."""
        facts = self.snapshot.farm if self.snapshot is not None else None
        up = facts is None or any(worker.state == State.UP.value for worker in facts.workers)
        return up and not self.draining

    def check_open(self) -> None:
        """Raise RequestError if no image would be taken in now."""
        if self.draining:
            message = "this service is stopping: ask another one, or this one later"
            raise RequestError(503, "stopping", message, {"Connection": "close"})
        if self.outstanding >= self.limits.queue:
            raise self._busy(f"{self.outstanding} images are waiting already")

    def check_size(self, size: int) -> None:
        """Raise RequestError if a body of `size` bytes is too large, or too much for now."""
        if size > self.limits.body_bytes:
            message = f"the body has more than {self.limits.body_bytes / MB:g} MB, the most"
            raise RequestError(413, "too_large", message)
        if self.held_bytes > self.limits.held_bytes:
            raise self._busy(f"requests of {self.held_bytes / MB:.0f} MB are waiting already")

    async def infer(self, items: Sequence[Image], *, timeout: float | None = None) -> list[Result]:
        """Return the results of items, in their order; each has an answer or an error.

        Waits for `timeout` seconds, and no longer than the limits say. What has no result by then,
        and what is left when this is cancelled, is withdrawn. Raises RequestError, and FarmError
        once the farm can't go on.
        """
        if len(items) > self.limits.images:
            message = f"{len(items)} images in one request; at most {self.limits.images}"
            raise RequestError(413, "too_many_images", message)
        if self.outstanding + len(items) > self.limits.queue:
            raise self._busy(f"{self.outstanding} images are waiting already")
        self.outstanding += len(items)
        futures: list[asyncio.Future[Result]] = []
        try:
            for item in items:
                future = self.farm.submit_soon(item)
                futures.append(future)
                self._futures.add(future)
            results = await results_of(futures, min(timeout or math.inf, self.limits.seconds))
        except BusyError as error:
            raise self._busy(str(error)) from error
        finally:
            self.outstanding -= len(items)
            self._futures.difference_update(futures)
            for future in futures:
                future.cancel()
        for item, result in zip(items, results, strict=True):
            self.last_results.offer(item, result)
        return results

    def give_up(self) -> int:
        """Withdraw all images that are left, and return how many: their requests are refused."""
        for future in self._futures:
            future.cancel()
        return len(self._futures)

    def look(self, viewer: Viewer) -> None:
        """Take in the farm's last snapshot."""
        while (seen := viewer.receive(0)) is not None:
            self.snapshot = seen

    def _busy(self, message: str) -> RequestError:
        facts = self.snapshot.farm if self.snapshot is not None else None
        seconds = math.ceil(self.outstanding / facts.rate) if facts and facts.rate else 1
        headers = {"Retry-After": str(min(max(seconds, 1), LONGEST_RETRY))}
        return RequestError(429, "busy", message, headers)


async def results_of(futures: Sequence[asyncio.Future[Result]], seconds: float) -> list[Result]:
    """Return the results of futures; raises RequestError if one is late, or was given up."""
    _, late = await asyncio.wait(futures, timeout=seconds)
    if late:
        raise RequestError(504, "timed_out", f"no answer within {seconds:g} s")
    if any(future.cancelled() for future in futures):
        raise RequestError(503, "stopping", "this service has stopped before the answer came")
    return [future.result() for future in futures]
