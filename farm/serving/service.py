"""What all routes share: the farm behind them, its limits, whether it is ready."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future

from farm.api import Farm
from farm.config.schema import FarmConfig
from farm.errors import FarmError
from farm.results.result import Result
from farm.serving.last_results import LastResults
from farm.serving.limits import Limits
from farm.sources.base import Item
from farm.watch.snapshot import Snapshot


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

    Used by the thread of the event loop alone.
    """

    def __init__(self, farm: Farm, *, name: str, limits: Limits, thumbnails: bool) -> None:
        self.farm, self.name, self.limits = farm, name, limits
        self.last_results = LastResults(self.config.max_pixels, thumbnails=thumbnails)
        self.snapshot: Snapshot | None = None
        self.draining = False
        self._pending: queue.SimpleQueue[tuple[Item, Future[Result]]] = queue.SimpleQueue()
        threading.Thread(target=self._drive, daemon=True).start()

    @property
    def config(self) -> FarmConfig:
        """The farm's config."""
        return self.farm.config

    @property
    def ready(self) -> bool:
        """Whether a request would be taken in."""
        return not self.draining

    async def infer(self, items: Sequence[Item], *, timeout: float | None = None) -> list[Result]:
        """Return the results of items, in their order; each has an answer or an error.

        Waits for `timeout` seconds, and no longer than the limits say. What has no result by then,
        and what is left when this is cancelled, is withdrawn. Raises RequestError.
        """
        if len(items) > self.limits.images:
            message = f"{len(items)} images in one request; at most {self.limits.images}"
            raise RequestError(413, "too_many_images", message)
        seconds = min(timeout or self.limits.seconds, self.limits.seconds)
        futures = [self._submit(item) for item in items]
        try:
            results = await asyncio.wait_for(asyncio.gather(*futures), seconds)
        except asyncio.TimeoutError as error:
            message = f"no answer within {seconds:g} s"
            raise RequestError(504, "timed_out", message) from error
        for item, result in zip(items, results, strict=True):
            self.last_results.offer(item, result)
        return results

    def _submit(self, item: Item) -> asyncio.Future[Result]:
        future: Future[Result] = Future()
        self._pending.put((item, future))
        return asyncio.wrap_future(future)

    def _drive(self) -> None:
        while True:
            item, future = self._pending.get()
            for result in self.farm.classify([item]):
                if not future.cancelled():
                    future.set_result(result)
