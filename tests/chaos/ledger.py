"""What came of each image, against what one process alone makes of it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from farm.config.schema import FarmConfig
from farm.results.result import Result
from farm.scheduler.placement import input_hint
from tests.helpers.support import worker_spec
from workers.images import preprocess as image
from workers.protocol.messages import FileRef
from workers.protocol.spec import SimulatedSpec
from workers.runtimes.simulated import SimulatedRuntime
from workers.tasks.classification import top5

Top5 = tuple[tuple[int, float], ...]


class Ledger:
    """The results of `count` images, which are `paths` again and again."""

    def __init__(self, paths: list[Path], count: int, config: FarmConfig) -> None:
        self._paths, self._expected = paths, alone(paths, config)
        self.count, self._seen = count, bytearray(count)
        self.results = self.double = self.wrong = self.unlucky = 0

    def enter(self, result: Result) -> None:
        """Take a result in; `unlucky` is an image that three strikes have hit by chance.

        The farm can't tell that from an image that workers die of: it ends in a named error.
        """
        self.results += 1
        self.double += self._seen[result.id]
        self._seen[result.id] = 1
        if result.error is not None and result.error.kind == "worker_died":
            self.unlucky += 1
            return
        at = result.id % len(self._paths)
        right = result.path == str(self._paths[at]) and _top5(result) == self._expected[at]
        self.wrong += not right

    @property
    def lost(self) -> int:
        """How many have none."""
        return self.count - sum(self._seen)


def alone(paths: Iterable[Path], config: FarmConfig) -> list[Top5]:
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
            return [top5(runtime.infer(image.load(ref, runtime.input))) for ref in refs]
        finally:
            runtime.close()


def _top5(result: Result) -> Top5 | None:
    if result.top5 is None:
        return None
    return tuple((prediction.class_id, prediction.score) for prediction in result.top5)
