"""Bottlenecks of any figures: never a claim that the figures do not hold."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from farm.report.bottleneck import FULL, Kind, find_bottleneck
from farm.report.bottleneck_text import sentences
from farm.report.data import Measured, Report
from farm.report.size_choice import enough
from farm.results.stats import PHASES
from tests.helpers.figures import a_round, conditions, measured, report

LONGEST = 3 * 80

shares = st.floats(0.0, 1.0)
milliseconds = st.floats(0.001, 1000.0)


@st.composite
def sizes(draw: Any, *, cores: int) -> Measured:
    runtimes, cpus = draw(st.integers(1, 30)), draw(st.integers(1, 8))
    rounds = tuple(
        a_round(
            seconds=draw(milliseconds),
            images=draw(st.integers(0, 2000)),
            saturation=tuple(draw(shares) for _ in range(max(1, cores))),
            coordinator_cpu_ms=draw(milliseconds),
            workers_cpu_ms=draw(milliseconds),
            others_cpus=draw(st.none() | st.floats(0.0, 8.0)),
        )
        for _ in range(draw(st.integers(1, 3)))
    )
    load = draw(st.sampled_from([(), (0.5,) * cores]))
    return measured(
        runtimes=runtimes,
        decoders=draw(st.integers(1, 3)),
        npu_cores=tuple(range(min(runtimes, cores))),
        cpus=tuple(range(cpus)),
        coordinator_cpus=tuple(range(draw(st.integers(1, 8)))),
        service_ms=draw(st.none() | milliseconds) if cores else None,
        rounds=rounds,
        means={phase: draw(milliseconds) for phase in PHASES},
        conditions=draw(st.none() | st.just(conditions(load=load))) if cores else None,
    )


@st.composite
def reports(draw: Any, *, cores: int, simulated: bool) -> Report:
    several = draw(
        st.lists(sizes(cores=cores), min_size=1, max_size=4, unique_by=lambda each: each.runtimes)
    )
    rising = sorted(several, key=lambda each: each.runtimes)
    return report(*rising, npu_cores=cores, simulated=simulated)


@given(reports(cores=3, simulated=True) | reports(cores=1, simulated=False))
def test_it_is_found_wherever_images_were_classified(drawn: Report) -> None:
    found, said = find_bottleneck(drawn), sentences(drawn)
    assert (found is not None) == bool(said)
    assert bool(said) == any(size.average_ms.median > 0 for size in drawn.sizes)
    assert len(said) <= 3
    assert all(0 < len(each) < LONGEST for each in said)


@given(reports(cores=3, simulated=True) | reports(cores=0, simulated=False))
def test_its_share_is_one_and_its_advice_changes_something(drawn: Report) -> None:
    found = find_bottleneck(drawn)
    if found is not None:
        size = next(size for size in drawn.sizes if size.runtimes == found.runtimes)
        now = {"size": size.runtimes, "decoders": size.decoders, "decode": size.decode}
        assert 0 <= found.share <= 1
        assert all(each.value != now.get(each.key) for each in found.advice)
        assert bool(found.advice) == (found.kind is not Kind.NPU)


@given(reports(cores=0, simulated=False))
def test_a_machine_without_an_npu_is_told_of_none(drawn: Report) -> None:
    found = find_bottleneck(drawn)
    assert found is None or found.shares.npu is None
    assert "NPU" not in " ".join(sentences(drawn))


@given(reports(cores=3, simulated=True))
def test_the_simulated_npus_figures_are_called_simulated(drawn: Report) -> None:
    for sentence in sentences(drawn):
        assert "simulated" in sentence or not ("NPU" in sentence and "%" in sentence)


@given(reports(cores=3, simulated=True))
def test_no_npu_is_called_full_that_was_not(drawn: Report) -> None:
    found = find_bottleneck(drawn)
    if found is not None and found.kind is Kind.NPU:
        size = enough(drawn.sizes)
        assert sum(size.saturation) / 3 >= FULL - 1e-9
        assert size.npu_cores == (0, 1, 2)
