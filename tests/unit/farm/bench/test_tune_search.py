"""What a tune tries, and in which order."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest

from farm.bench.tune_search import (
    Choice,
    SearchSpace,
    Trial,
    doubling,
    search,
    space,
)
from farm.config.schema import FarmConfig
from farm.hardware.platforms import Machine
from farm.report.size_choice import enough
from tests.helpers.figures import a_round, measured

EIGHT = tuple(range(8))


def machine(*cpus: int) -> Machine:
    return Machine(soc="rk3588", cpus=cpus, capacities=MappingProxyType({}))


def spaced(*cpus: int, **values: Any) -> SearchSpace:
    return space(FarmConfig.model_validate({"platform": "rk3588", **values}), machine(*cpus))


def tried(choice: Choice, average: float) -> Trial:
    return Trial(choice=choice, measured=measured(rounds=(a_round(seconds=average),)))


def test_a_soc_is_tried_with_whole_rounds_of_its_npu_cores() -> None:
    assert spaced(*EIGHT).sizes == (3, 6, 9, 12, 15, 18)
    assert spaced(*EIGHT, npu_cores=[0, 2]).sizes == (2, 4, 6, 8, 10, 12)
    assert spaced(*EIGHT, platform="rk3566").sizes == (1, 2, 3, 4, 5, 6)
    many = {"runtime": "simulated", "simulated": {"npu_cores": 64}}
    assert spaced(*EIGHT, **many).sizes == (64, 128, 192, 256)


def test_a_host_is_tried_with_twice_as_many_each_time_up_to_its_cpus() -> None:
    assert spaced(*EIGHT, platform="host").sizes == (1, 2, 4, 8)
    assert [doubling(cpus) for cpus in (1, 2, 3, 6)] == [(1,), (1, 2), (1, 2, 3), (1, 2, 4, 6)]


@pytest.mark.parametrize(
    ("cpus", "values", "kinds"),
    [
        (EIGHT, {}, ("same", "slow", "all")),
        (EIGHT, {"cpu": "all"}, ("same", "slow", "fast")),
        (EIGHT, {"platform": "rk3566"}, ("same",)),  # its CPUs are all alike
        ((0, 1), {}, ("same",)),  # no fast one may be used here
        ((4, 5), {}, ("same",)),
    ],
)
def test_decoder_cpus_are_tried_where_slow_ones_are_others_than_fast_ones(
    cpus: tuple[int, ...], values: dict[str, Any], kinds: tuple[str, ...]
) -> None:
    assert spaced(*cpus, **values).decoder_cpus == kinds


def test_a_tune_goes_from_size_to_decoders_to_their_cpus() -> None:
    at = spaced(*EIGHT)
    figures = {3: 2.0, 6: 1.5, 9: 1.49, 12: 1.48}
    trials: list[Trial] = []
    while (choice := search(at, trials).next_choice) is not None:
        ms = figures[choice.size] * (0.9 if choice.decoder_cpu == "slow" else 1.0)
        trials.append(tried(choice, ms))
    # 4 CPUs for 6 runtimes: "auto" is 1 decoder each, so 1 is not tried again.
    assert [trial.choice for trial in trials] == [
        *(Choice(size=size) for size in (3, 6, 9, 12)),
        Choice(size=6, decoders=2),
        Choice(size=6, decoder_cpu="slow"),
        Choice(size=6, decoder_cpu="all"),
    ]
    chosen = [(each.key, enough(each.trials).choice) for each in search(at, trials).stages]
    assert chosen == [
        ("size", Choice(size=6)),
        ("decoders", Choice(size=6)),
        ("decoder_cpu", Choice(size=6, decoder_cpu="slow")),
    ]


def test_gains_that_creep_are_followed_till_they_end() -> None:
    at = spaced(*EIGHT)
    trials = [tried(Choice(size=n), ms) for n, ms in ((3, 1.0), (6, 0.98), (9, 0.96))]
    assert search(at, trials).next_choice == Choice(size=12)
