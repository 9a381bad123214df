"""`size: auto`: which of the measured sizes it takes, and what it tells of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from farm.api import Farm, auto_size
from farm.config.schema import FarmConfig
from farm.errors import SourceError
from farm.sources.base import Ref
from tests.helpers.support import glyphs, simulated
from tests.helpers.told import Told
from workers.protocol.messages import FileRef


@contextmanager
def never(config: FarmConfig, **_others: object) -> Iterator[Farm]:
    pytest.fail(f"a farm of {config.size} was measured")
    yield Farm(config)


@pytest.mark.parametrize(
    ("ms", "size"),
    [
        ({3: 2.0, 6: 1.9}, 6),
        ({3: 2.0, 6: 1.96}, 3),  # not clearly faster
        ({3: 2.0, 6: 2.5}, 3),
    ],
)
def test_the_larger_size_is_taken_only_if_it_is_clearly_faster(
    monkeypatch: pytest.MonkeyPatch, renders: list[Path], ms: dict[int, float], size: int
) -> None:
    @contextmanager
    def measured(config: FarmConfig, **_others: object) -> Iterator[Farm]:
        assert isinstance(config.size, int)
        monkeypatch.setattr(auto_size, "_ms_per_image", lambda _farm, _refs: ms[config.size])
        yield Farm(config)

    def samples(*, scenes: bool) -> Path:
        assert not scenes
        return renders[0].parent

    monkeypatch.setattr(auto_size, "default_samples", samples)
    told = Told()
    decided = auto_size.decide(simulated(size="auto"), measured, told, None)
    assert decided.size == size
    (line,) = told
    assert line.startswith(f"size: auto: {size}, at {ms[size]:.2f} ms per image")
    assert "simulated" in line


def test_on_the_host_it_is_a_runtime_per_cpu_and_nothing_is_measured() -> None:
    told = Told()
    assert auto_size.decide(glyphs(size="auto"), never, told, None).size is None
    assert len(told.records) == 1


def test_a_round_takes_its_time_for_what_was_classified(
    monkeypatch: pytest.MonkeyPatch, renders: list[Path]
) -> None:
    monkeypatch.setattr(auto_size, "ROUND_SECONDS", 0.05)
    good: list[Ref] = [FileRef(str(path).encode()) for path in renders[:4]]
    bad: list[Ref] = [FileRef(b"no-such-file.jpg")]
    with Farm(simulated(size=3)) as farm:
        assert auto_size._ms_per_image(farm, good + bad) > 0
        with pytest.raises(SourceError, match=r"first: no-such-file\.jpg: error: missing: "):
            auto_size._ms_per_image(farm, bad)
