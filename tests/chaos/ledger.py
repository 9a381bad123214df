"""What came of each image, against what one process alone makes of it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from farm.config.schema import FarmConfig
from farm.results.result import Result
from farm.scheduler.placement import input_hint
from tests.helpers.support import worker_spec
from workers.images import preprocess as image
from workers.protocol.messages import FileRef, ItemError, Ranked
from workers.protocol.spec import SimulatedSpec
from workers.runtimes.simulated import SimulatedRuntime
from workers.tasks.classification import rank


class Ledger:
    """The results of `count` images, which are `paths` again and again.

    Some are copies elsewhere, by their places among all; that at `never` can't be read.
    """

    def __init__(self, paths: list[Path], count: int, config: FarmConfig) -> None:
        self._paths, self._expected = paths, alone(paths, config)
        self.copies: Mapping[int, Path] = {}
        self.never: int | None = None
        self.count, self._seen = count, bytearray(count)
        self.results = self.double = self.wrong = self.unlucky = self.unread = 0

    def images(self) -> Iterator[Path]:
        """Return the paths, in the order of their places."""
        return (self._path(place) for place in range(self.count))

    def enter(self, result: Result) -> None:
        """Take a result in; `unlucky` is an image that three strikes have hit by chance.

        The farm can't tell that from an image that workers die of: it ends in a named error.
        """
        self.results += 1
        self.double += self._seen[result.id]
        self._seen[result.id] = 1
        if result.error is not None and result.error.kind == "worker_died":
            self.unread += result.id == self.never
            self.unlucky += result.id != self.never
            return
        right = self._expected[result.id % len(self._paths)]
        path = str(self._path(result.id))
        self.wrong += (result.path, _answer(result)) != (path, right)

    @property
    def lost(self) -> int:
        """How many have none."""
        return self.count - sum(self._seen)

    def _path(self, place: int) -> Path:
        return self.copies.get(place, self._paths[place % len(self._paths)])


def alone(paths: Iterable[Path], config: FarmConfig) -> list[Ranked | ItemError]:
    """Classify images in this process, as a worker of the simulated runtime does."""
    with tempfile.TemporaryDirectory() as folder:
        npu = SimulatedSpec(
            timelines=f"{folder}/npu",
            npu_cores=1,
            service_ms=0.0,
            seed=config.simulated.seed,
            classes=config.simulated.classes,
        )
        runtime = SimulatedRuntime(
            worker_spec(input=input_hint(config, "simulated"), simulated=npu)
        )
        try:
            refs = [FileRef(os.fsencode(path)) for path in paths]
            return rank([runtime.infer(image.load(ref, runtime.input)[0])[0] for ref in refs])
        finally:
            runtime.close()


def _answer(result: Result) -> Ranked | None:
    if result.top5 is None:
        return None
    return Ranked(tuple((each.class_id, each.score) for each in result.top5))
