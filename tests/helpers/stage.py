"""A farm on the fake of the vendor's package, any of whose workers can be made to misbehave."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

import pytest

from farm.api import Farm
from farm.config.schema import FarmConfig
from farm.coordinator.supervisor import Change, Supervisor
from farm.results.result import Result
from farm.scheduler.lifecycle import BOOTING
from tests.helpers.support import expected_of_the_fake, names_of_children
from tests.helpers.told import Told

# No healthy worker takes so long, on any machine. Nobody waits for them: see Stage.hurry.
START_SECONDS: Final = 60
SELF_TEST_SECONDS: Final = 50
BATCH_SECONDS: Final = 3
LOOK_SECONDS: Final = 0.02


class Stage:
    """Farms on the fake of the vendor's package, any of whose workers can be made to misbehave."""

    def __init__(self, folder: Path, renders: list[Path]) -> None:
        self.model, self.faults = folder / "model.rknn", folder / "faults"
        self.model.write_text('{"ms": 1}', encoding="ascii")
        self.faults.mkdir()
        self.told = Told()
        self._expected = {image: expected_of_the_fake(image) for image in renders[:24]}

    def farm(self, workers: int, **changes: Any) -> Farm:
        values = {
            "platform": "rk3588",
            "runtime": "rknn",
            "npu_cores": "all" if workers == 6 else [0, 1],
            "size": workers,
            "cpu": "all",
            "model": self.model,
            "start_seconds": START_SECONDS,
            "self_test_seconds": SELF_TEST_SECONDS,
            "batch_seconds": BATCH_SECONDS,
            **changes,
        }
        return Farm(FarmConfig.model_validate(values), log=self.told)

    def hurry(self, patch: pytest.MonkeyPatch) -> None:
        """Let the time of a start that hangs be over as soon as it hangs, and nobody else's."""
        tick = Supervisor.tick
        seen: set[Path] = set()

        def tick_sooner(supervisor: Supervisor, *, now: float) -> list[Change]:
            for slot in supervisor.slots:
                mark = self.faults / f"worker-{slot.spec.index}.hangs"
                if not mark.exists():
                    continue
                if slot.state not in BOOTING:  # it hangs at work: batch_seconds is for that
                    mark.unlink()
                elif mark not in seen:
                    seen.add(mark)  # before the next look, what it printed last is read
                else:
                    mark.unlink()
                    seen.remove(mark)
                    slot.due = now
            return tick(supervisor, now=now)

        patch.setattr(Supervisor, "tick", tick_sooner)
        patch.setattr("farm.coordinator.coordinator.LOOK_SECONDS", LOOK_SECONDS)

    def arm(self, worker: int, at: str, how: str, *, after: int = 0, once: bool = True) -> None:
        """Let a worker misbehave at a step, after that has gone well `after` times."""
        fault = {"at": at, "how": how, "after": after, "once": once}
        (self.faults / f"worker-{worker}").write_text(json.dumps(fault), encoding="ascii")

    @property
    def no_forks(self) -> Path:
        """While there is this file, the system lets no worker be forked."""
        return self.faults / "no-forks"

    def classify(self, farm: Farm) -> list[Result]:
        """Each image has one result, and the scores are its own."""
        images = list(self._expected)
        results = sorted(farm.classify(images), key=lambda result: result.id)
        assert [result.id for result in results] == list(range(len(images)))
        for result, (image, expected) in zip(results, self._expected.items(), strict=True):
            assert result.error is None
            assert result.path == str(image)
            assert [(p.class_id, p.score) for p in result.top5 or ()] == expected
        return results


def process_of(worker: int) -> int:
    """The process id of a worker."""
    names = names_of_children(os.getpid())
    return next(pid for pid, name in names.items() if name == f"worker-{worker}")
