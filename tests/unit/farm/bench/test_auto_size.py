"""`size: auto`: which of the measured sizes it takes, and what it says of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from farm.bench.auto_size import decided
from farm.bench.trial import TrialOptions
from farm.config.schema import FarmConfig
from farm.report.data import Measured
from tests.helpers.figures import a_round, measured
from tests.helpers.support import simulated


@pytest.mark.parametrize(
    ("ms", "size", "said"),
    [
        ({3: 2.0, 6: 1.9}, 6, "6, at 1.90 ms per image; 3 take 2.00 ms"),
        ({3: 2.0, 6: 1.96}, 3, "3, at 2.00 ms per image; 6 take 1.96 ms"),  # not clearly faster
        ({3: 2.0, 6: 2.5}, 3, "3, at 2.00 ms per image; 6 take 2.50 ms"),
    ],
)
def test_the_larger_size_is_taken_only_if_it_is_clearly_faster(
    monkeypatch: pytest.MonkeyPatch,
    renders: list[Path],
    ms: dict[int, float],
    size: int,
    said: str,
) -> None:
    def trial(config: FarmConfig, _options: TrialOptions) -> Measured:
        assert isinstance(config.size, int)
        return measured(runtimes=config.size, rounds=(a_round(seconds=ms[config.size]),))

    monkeypatch.setattr("farm.bench.auto_size.trial", trial)
    monkeypatch.setattr("farm.bench.auto_size.default_samples", lambda _tell: renders[0].parent)
    told: list[str] = []
    assert decided(simulated(size="auto"), told.append).size == size
    assert told == [f"size: auto: {said} (measured on bundled sample images, simulated NPU)"]
